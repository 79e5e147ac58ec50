#!/usr/bin/env bash
# engine.sh up: find a working Docker Engine, or bring one. engine.sh down: stop it if we started it.
# "Works" means: the client reaches an engine, has Compose 2.20 or later, and has buildx.
. "$(dirname "$0")/common.sh"
. "$LAB_DIR/process.sh"
. "$LAB_DIR/packages.sh"

CLIENT=$SLIPWAY_STATE/bin/docker
PACKAGED=${SLIPWAY_PACKAGED_CLIENT:-/usr/bin/docker}
DOCKERD=${SLIPWAY_PACKAGED_ENGINE:-/usr/sbin/dockerd} # not on everybody's PATH
PID_FILE=/var/run/docker.pid
NEEDS="Docker Engine with Compose 2.20 or later and buildx (https://docs.docker.com/engine/install/)"

preferred='' # a client to prefer over those on PATH
installed='' # set when this run brought the engine

answers() { timeout 20 "$1" version --format '{{.Server.Version}}' >/dev/null 2>&1; }

compose_version() { "$1" compose version --short 2>/dev/null | sed 's/^v//'; }

has_plugins() {
    local version
    version=$(compose_version "$1") && [[ -n $version ]] &&
        [[ $(printf '2.20\n%s\n' "$version" | sort -V | head -1) == 2.20 ]] &&
        "$1" buildx version >/dev/null 2>&1
}

# clients: the candidates in order of preference; our own link to one is not a candidate.
clients() {
    { echo "$preferred"; type -pa docker || true; echo "$PACKAGED"; } | grep -vFx "$CLIENT" | awk '!seen[$0]++' |
        while read -r client; do if [[ -x $client ]]; then echo "$client"; fi; done
}

has_engine() { command -v dockerd >/dev/null || [[ -x $DOCKERD ]]; }

first_client() { # first_client TEST…: the first candidate that passes every test
    local client check
    for client in $(clients); do
        for check in "$@"; do "$check" "$client" || continue 2; done
        echo "$client"
        return
    done
    return 1
}

link() { ln -sfn "$1" "$CLIENT"; }

refuse_what_we_must_not_touch() {
    local client version
    if client=$(first_client answers); then
        version=$(compose_version "$client") || true
        fail "an engine answers, but its Compose is '${version:-missing}' or buildx is missing. Nothing was changed." \
            "Install Compose 2.20 or later and buildx for $client, then try again."
    fi
    if [[ -n ${DOCKER_HOST:-} ]]; then fail "DOCKER_HOST is $DOCKER_HOST, and no engine answers there."; fi
    if [[ -S /var/run/docker.sock && ! -w /var/run/docker.sock ]]; then
        fail "you may not use the engine's socket. Run as root, or join the group that owns /var/run/docker.sock."
    fi
    if has_engine && ! first_client has_plugins >/dev/null; then
        fail "an engine is installed, but not Compose 2.20 or later with buildx. Nothing was changed. Needed: $NEEDS."
    fi
    if [[ $(uname -s) != Linux ]]; then fail "no engine answers. Start or install a $NEEDS."; fi
}

install() {
    [[ -n $(distribution) ]] || fail "no engine here, and this is not Debian 12, 13 or Ubuntu. Install $NEEDS."
    can_be_root || fail "no engine here, and installing one takes root. Run as root, or install $NEEDS."
    say "Installing a Docker Engine from the distribution's packages (about 30 s)."
    logged engine-install install_engine
}

# start CLIENT: the engine runs, and what we started (or what our installation did) is on record as ours.
start() {
    local daemon
    if answers "$1" && [[ -z $installed ]]; then return; fi
    can_be_root || fail "the engine is not running, and starting it takes root."
    say "Starting the Docker Engine."
    if [[ -d /run/systemd/system ]]; then
        as_root systemctl start docker
        touch "$RUN/engine.systemd"
    elif ! answers "$1"; then
        daemon=$(command -v dockerd || echo "$DOCKERD")
        if ((EUID == 0)); then start_detached dockerd "$daemon"; else start_detached dockerd sudo "$daemon"; fi
    fi
    until_ready 60 answers "$1" || {
        tail -n 20 "$LOGS/dockerd.log" >&2
        fail "the engine did not start within 60 s. Its log: $LOGS/dockerd.log"
    }
    # The daemon itself, not the sudo around it.
    if [[ ! -e $RUN/engine.systemd ]]; then record_process dockerd "$(cat $PID_FILE)"; fi
}

up() {
    local client
    if [[ -x $CLIENT ]] && answers "$CLIENT"; then return; fi
    if client=$(first_client answers has_plugins); then link "$client" && return; fi
    refuse_what_we_must_not_touch
    if ! has_engine; then install && installed=yes; fi
    preferred=$PACKAGED # it comes with the packaged plugins
    client=$(first_client has_plugins) || fail "the packages brought no Compose 2.20 or later. Install $NEEDS."
    start "$client"
    link "$client"
}

down() {
    if ! running dockerd && [[ ! -e $RUN/engine.systemd ]]; then return; fi
    if [[ -n $("$CLIENT" ps -q 2>/dev/null) ]]; then
        say "The engine stays: containers that are not the lab's run on it."
        return
    fi
    if running dockerd; then as_root "$LAB_DIR/process.sh" stop dockerd 30; fi
    if [[ -e $RUN/engine.systemd ]]; then as_root systemctl stop docker.socket docker && rm "$RUN/engine.systemd"; fi
}

exec 9>"$RUN/engine.lock"
flock 9
case ${1:-up} in
    up) up ;;
    down) down ;;
    *) fail "usage: engine.sh up|down" ;;
esac
