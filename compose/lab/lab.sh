#!/usr/bin/env bash
# The lab's containers: credentials, images, then everything up and healthy, and the droplets' and the
# edge's host keys read from inside them, which is the one place where they can be trusted to come from.
. "$(dirname "$0")/common.sh"

LAB=$SLIPWAY_STATE/lab
IMAGES=(registry droplet edge prometheus langfuse digitalocean)
compose() { docker compose --project-directory "$LAB_DIR" -f "$LAB_DIR/docker-compose.yml" "$@"; }

# One that runs is refused; one that only left its containers behind (its checkout is gone, or the machine was
# restarted) is swept away, because its credentials are not ours.
clear_a_lab_of_another_checkout() {
    local other ours=(--filter "label=com.docker.compose.project=$SLIPWAY_LAB")
    # With "oneoff": what is only started from one of the lab's images inherits the project's label, not this one.
    other=$(docker ps -a "${ours[@]}" --filter label=com.docker.compose.oneoff=False \
        --format '{{.Label "com.docker.compose.project.working_dir"}}' | grep -vFx "$LAB_DIR" | head -1) || return 0
    if [[ -n $(docker ps -q "${ours[@]}") ]]; then
        fail "the lab '$SLIPWAY_LAB' on this engine belongs to another checkout: ${other%/compose/lab}." \
            "Run 'make down' there first."
    fi
    say "Removing what a lab of another checkout left behind."
    docker ps -aq "${ours[@]}" | xargs -r docker rm -f -v >/dev/null
    docker volume ls -q "${ours[@]}" | xargs -r docker volume rm >/dev/null
    docker network ls -q "${ours[@]}" | xargs -r docker network rm >/dev/null
}

# The engine gives fixed addresses in a network that was made with a subnet of ours only.
refuse_another_network() {
    local subnet
    subnet=$(docker network inspect --format '{{(index .IPAM.Config 0).Subnet}}' "$SLIPWAY_LAB" 2>/dev/null) || return 0
    [[ $subnet == "$SLIPWAY_LAB_NETWORK.0/24" ]] ||
        fail "the lab's network is $subnet, and not $SLIPWAY_LAB_NETWORK.0/24. Run 'make down' first."
}

make_credentials() {
    if [[ -e $LAB/htpasswd && -e $LAB/droplet_key.pub ]] && grep -q digitalocean_token "$LAB/credentials.json"; then
        return
    fi
    logged credentials python "$LAB_DIR/credentials.py" "$LAB"
}

make_certificates() {
    if unchanged "$LAB/tls/addresses" "$LAB_REGISTRIES"; then return; fi
    # shellcheck disable=SC2086  # one word an address
    logged certificates python "$LAB_DIR/certificates.py" "$LAB" $LAB_REGISTRIES
}

# trust_registries: put the authority's certificate where the engine that runs the lab looks for it, through that engine.
trust_registries() {
    if cmp -s "$LAB/tls/ca.crt" "/etc/docker/certs.d/$LAB_REGISTRY/ca.crt"; then return; fi
    docker run --rm --network none -v /etc/docker:/etc/docker -v "$LAB/certs.d:/lab:ro" debian:trixie-slim \
        sh -c 'mkdir -p /etc/docker/certs.d && cp -r /lab/. /etc/docker/certs.d/'
}

build_images() {
    local made_from
    made_from="$(fingerprint "$LAB_DIR"/{Dockerfile,digitalocean,droplet,edge,langfuse,machine,prometheus,registry}) $(docker image inspect --format '{{.Id}}' debian:trixie-slim)"
    if unchanged "$LAB/images" "$made_from" &&
        docker image inspect "${IMAGES[@]/#/$SLIPWAY_LAB-}" >/dev/null 2>&1; then return; fi
    say "Building the lab's images (about 20 s)."
    logged lab-images compose --progress plain build
    record_stamp "$LAB/images" "$made_from"
}

keep_host_key() {
    local key
    key=$(docker exec "$SLIPWAY_LAB-$1" cat /var/lib/droplet/ssh_host_ed25519_key.pub) ||
        fail "$1 shows no host key. Its last words: docker logs $SLIPWAY_LAB-$1"
    printf '%s\n' "${key% *}" >"$LAB/$1.host_key"
}

exec 9>"$RUN/lab.lock"
flock 9
clear_a_lab_of_another_checkout
refuse_another_network
make_credentials
make_certificates
logged trust-registries trust_registries
build_images
logged lab-up compose up -d --wait --wait-timeout 120
for machine in green blue data edge; do keep_host_key $machine; done

# What the lab's `slipway` should know besides its blocks: SLIPWAY_SETTINGS names it.
cat >"$SLIPWAY_STATE/settings.toml" <<TOML
[worker]
docker = "$SLIPWAY_STATE/bin/docker"
[droplets]
home = "data"
[traffic]
switch = "edge"
active_url = "http://127.0.0.1:$SLIPWAY_LAB_EDGE_PORT/.slipway/active"
edge_url = "http://127.0.0.1:$SLIPWAY_LAB_EDGE_PORT"
watch = 10.0
[gates]
window = 6.0
TOML
# `slipway` in and for the lab, from any directory and shell.
cat >"$SLIPWAY_STATE/bin/slipway" <<SH
#!/bin/sh
export SLIPWAY_SETTINGS="\${SLIPWAY_SETTINGS:-$SLIPWAY_SETTINGS}"
# The lab's Prefect with the login in its home, unless another one is named: the lab's login goes nowhere else.
if [ "\${PREFECT_API_URL:-$PREFECT_API_URL}" = "$PREFECT_API_URL" ]; then
    export PREFECT_API_URL="$PREFECT_API_URL" PREFECT_HOME="$PREFECT_HOME"
    unset PREFECT_PROFILE PREFECT_API_KEY PREFECT_API_AUTH_STRING
fi
export no_proxy="\${no_proxy:-\$NO_PROXY},${LAB_REGISTRY%:*},${LAB_DOCR%:*}"
exec "$CHECKOUT/.venv/bin/slipway" "\$@"
SH
chmod 755 "$SLIPWAY_STATE/bin/slipway"
