#!/usr/bin/env bash
# The plain script that Slipway replaces, in the runbook's order: build, push, then on the droplet down, pull, up.
#   runbook.sh DIRECTORY PROJECT SSH-CONFIG
# REGISTRY and IMAGE_TAG are set; the registry's login is at hand on both sides; DIRECTORY/droplet.env holds the
# variables of the stack.
set -euo pipefail
directory=$1 project=$2 config=$3
: "${REGISTRY:?}" "${IMAGE_TAG:?}"

compose=(docker compose --project-name "$project" --file "$directory/docker-compose.yml")
"${compose[@]}" --progress quiet build
"${compose[@]}" push --quiet

there="docker compose --project-name $project --env-file droplet.env --file docker-compose.yml"
tar -C "$directory" -cz docker-compose.yml droplet.env | ssh -F "$config" droplet "
    set -eu
    export REGISTRY=$REGISTRY IMAGE_TAG=$IMAGE_TAG
    mkdir -p /opt/runbook && cd /opt/runbook && tar -xz
    $there down --remove-orphans
    $there pull --quiet
    $there up --detach --wait"
