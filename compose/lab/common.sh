# shellcheck shell=bash
# What every script of the lab shares: strict mode, where things are, and how it speaks.
set -euo pipefail

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CHECKOUT=$(cd "$LAB_DIR/../.." && pwd)
SLIPWAY_STATE=${SLIPWAY_STATE:-$CHECKOUT/.slipway}
LOGS=$SLIPWAY_STATE/log
export RUN=$SLIPWAY_STATE/run

# One lab a machine is the rule; another name gives a second one beside it (with other ports).
SLIPWAY_LAB=${SLIPWAY_LAB:-slipway-lab}
SLIPWAY_LAB_NETWORK=${SLIPWAY_LAB_NETWORK:-198.18.199}
SLIPWAY_LAB_GREEN_SSH_PORT=${SLIPWAY_LAB_GREEN_SSH_PORT:-2201}
SLIPWAY_LAB_BLUE_SSH_PORT=${SLIPWAY_LAB_BLUE_SSH_PORT:-2202}
SLIPWAY_LAB_EDGE_SSH_PORT=${SLIPWAY_LAB_EDGE_SSH_PORT:-2203}
SLIPWAY_LAB_DATA_SSH_PORT=${SLIPWAY_LAB_DATA_SSH_PORT:-2204}
SLIPWAY_LAB_EDGE_PORT=${SLIPWAY_LAB_EDGE_PORT:-8080}
SLIPWAY_LAB_PROMETHEUS_PORT=${SLIPWAY_LAB_PROMETHEUS_PORT:-9090}
SLIPWAY_LAB_LANGFUSE_PORT=${SLIPWAY_LAB_LANGFUSE_PORT:-3000}
SLIPWAY_LAB_DIGITALOCEAN_PORT=${SLIPWAY_LAB_DIGITALOCEAN_PORT:-8090}
SLIPWAY_LAB_BALANCER_PORT=${SLIPWAY_LAB_BALANCER_PORT:-8081}
SLIPWAY_LAB_DNS_PORT=${SLIPWAY_LAB_DNS_PORT:-5353}
SLIPWAY_PREFECT_PORT=${SLIPWAY_PREFECT_PORT:-4200}
SLIPWAY_SETTINGS=${SLIPWAY_SETTINGS:-$SLIPWAY_STATE/settings.toml}

export SLIPWAY_STATE SLIPWAY_LAB SLIPWAY_LAB_NETWORK SLIPWAY_LAB_GREEN_SSH_PORT SLIPWAY_LAB_BLUE_SSH_PORT \
    SLIPWAY_LAB_EDGE_SSH_PORT SLIPWAY_LAB_DATA_SSH_PORT SLIPWAY_LAB_EDGE_PORT SLIPWAY_LAB_PROMETHEUS_PORT \
    SLIPWAY_LAB_LANGFUSE_PORT SLIPWAY_LAB_DIGITALOCEAN_PORT SLIPWAY_LAB_BALANCER_PORT \
    SLIPWAY_LAB_DNS_PORT SLIPWAY_PREFECT_PORT SLIPWAY_SETTINGS
# Registries have addresses of their own on the lab's network: they mean the same here and on a droplet. They are of the
# range for tests (RFC 2544): engines ask for no certificate on loopback, and cosign falls back to http on private ones.
LAB_REGISTRY=$SLIPWAY_LAB_NETWORK.250:5000 LAB_DOCR=$SLIPWAY_LAB_NETWORK.251:5001
export LAB_REGISTRIES="$LAB_REGISTRY $LAB_DOCR $SLIPWAY_LAB_NETWORK.252:5000" # the last is the benchmark's
# The lab's own Prefect: its home, its server, nothing sent anywhere. Whatever a person's shell points at stays out.
export PREFECT_HOME=$SLIPWAY_STATE/prefect PREFECT_API_URL=http://127.0.0.1:$SLIPWAY_PREFECT_PORT/api
export PREFECT_SERVER_ANALYTICS_ENABLED=false DO_NOT_TRACK=1 PREFECT_WORKER_QUERY_SECONDS=2
unset PREFECT_PROFILE PREFECT_API_KEY PREFECT_API_AUTH_STRING PREFECT_SERVER_API_AUTH_STRING
# Without what it compiles to, every new process would compile our own modules again.
unset PYTHONDONTWRITEBYTECODE
export PATH=$SLIPWAY_STATE/bin:$CHECKOUT/.venv/bin:$PATH

# The server's database holds every credential, and the key that they are encrypted with.
mkdir -p "$SLIPWAY_STATE"/{bin,lab,log,prefect,run}
chmod 700 "$SLIPWAY_STATE" "$SLIPWAY_STATE/lab"

say() { printf '%s\n' "$*"; }

fail() {
    printf 'Error: %s\n' "$*" >&2
    exit 1
}

# logged NAME COMMAND…: its output goes to a log; when it fails, the end of the log is shown.
logged() {
    local log=$LOGS/$1.log status=0
    shift
    "$@" >"$log" 2>&1 </dev/null || status=$?
    ((status == 0)) && return
    tail -n 25 "$log" >&2
    fail "'$(basename "$1") ${2:-}' ended with $status. All of its output: $log"
}

# until_ready SECONDS COMMAND…: asks again and again, with an end.
until_ready() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || return 1
        sleep 0.2
    done
}

# answers_http PORT PATH: true when 127.0.0.1 says 200 there within two seconds. No curl is needed for it.
answers_http() (
    exec 2>/dev/null 8<>"/dev/tcp/127.0.0.1/$1"
    printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$2" >&8
    read -r -t 2 status <&8 && [[ $status == *' 200 '* ]]
)

# unchanged STAMP VALUE: true when this stamp holds this value. record_stamp writes it.
unchanged() { [[ -e $1 && $(<"$1") == "$2" ]]; }
record_stamp() { printf '%s' "$2" >"$1"; }

as_root() {
    if ((EUID == 0)); then "$@"; else sudo --preserve-env=RUN "$@"; fi
}

can_be_root() { ((EUID == 0)) || { command -v sudo >/dev/null && sudo -v; }; }

# fingerprint FILE-OR-DIRECTORY…: one hash over names and contents, to see whether something changed.
fingerprint() {
    find "$@" -type f -not -path '*/__pycache__/*' -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16
}
