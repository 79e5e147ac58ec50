#!/usr/bin/env bash
# down.sh: remove what the lab made, by label and by pid, and nothing else. down.sh list: only say what that is.
. "$(dirname "$0")/common.sh"
. "$LAB_DIR/process.sh"

OURS=(--filter label=dev.slipway.lab=true --filter "label=com.docker.compose.project=$SLIPWAY_LAB")
NAMED='{{if eq .Tag "<none>"}}{{.ID}}{{else}}{{.Repository}}:{{.Tag}}{{end}}'
BASE=$SLIPWAY_STATE/lab/base-image

containers() { docker ps -a "${OURS[@]}" --format '{{.Names}}'; }
volumes() { docker volume ls "${OURS[@]}" --format '{{.Name}}'; }
networks() { docker network ls "${OURS[@]}" --format '{{.Name}}'; }

# images: the lab's own; the sample's, which carry its label; what was released to the lab's registry, by its
# address, when Compose built it; and the base image, if it is still the one we made.
images() {
    {
        docker images "${OURS[@]}" --format "$NAMED"
        docker images --filter label=dev.slipway.sample=true --format "$NAMED"
        docker images --filter "reference=$LAB_REGISTRY/agents/*" --filter label=com.docker.compose.project --format "$NAMED"
        if [[ -s $BASE && $(docker image inspect --format '{{.Id}}' debian:trixie-slim 2>/dev/null) == "$(<"$BASE")" ]]; then
            echo debian:trixie-slim
        fi
    } | awk '!seen[$0]++'
}

list() {
    local kind
    for kind in containers volumes networks images; do $kind | sed "s/^/${kind%s} /"; done
}

# forget_registries: take the lab's authority away from the engine again, wherever it is still the lab's.
forget_registries() {
    [[ -d $SLIPWAY_STATE/lab/certs.d ]] || return 0
    docker run --rm --network none -v /etc/docker:/etc/docker -v "$SLIPWAY_STATE/lab/certs.d:/lab:ro" debian:trixie-slim \
        sh -c 'cd /lab; for name in *; do cmp -s "$name/ca.crt" "/etc/docker/certs.d/$name/ca.crt" && rm -r "/etc/docker/certs.d/$name"; done; rmdir /etc/docker/certs.d' || true
}

# An image that a container outside the lab uses is refused by the engine, and stays.
remove() {
    forget_registries
    containers | xargs -r docker rm -f -v
    volumes | xargs -r docker volume rm
    networks | xargs -r docker network rm
    images | xargs -r -n 1 docker rmi || true
}

engine_answers() { [[ -x $SLIPWAY_STATE/bin/docker ]] && docker version >/dev/null 2>&1; }

case ${1:-down} in
    list) list ;;
    down)
        "$LAB_DIR/worker.sh" down
        "$LAB_DIR/prefect.sh" down
        if engine_answers; then logged down remove; fi
        "$LAB_DIR/engine.sh" down
        rm -rf "${SLIPWAY_STATE:?}"/{actionlint,bin,lab,prefect,bench-venv,bench.lock,settings.toml}
        if ! running dockerd && [[ ! -e $RUN/engine.systemd ]]; then rm -rf "$RUN" "$LOGS"; fi
        rmdir "$SLIPWAY_STATE" 2>/dev/null || true
        say "The lab is gone. What stays: installed packages, the engine's build cache and .venv, so that the next start is quick."
        ;;
    *) fail "usage: down.sh [list]" ;;
esac
