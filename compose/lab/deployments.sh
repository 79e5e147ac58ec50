#!/usr/bin/env bash
# Everything the Prefect server is told: the work pool, the blocks, the deployments. Each only when its source
# changed since this server was told last; the stamps stand in the server's home and go with it.
. "$(dirname "$0")/common.sh"

HOME_OF_STAMPS=$PREFECT_HOME/slipway-lab
mkdir -p "$HOME_OF_STAMPS"
cd "$CHECKOUT"

tell_pool() {
    curl -fsS -X POST -H 'Content-Type: application/json' \
        -d '{"name": "slipway", "type": "process", "description": "Flow runs as processes on this machine"}' \
        "$PREFECT_API_URL/work_pools/" || curl -fsS "$PREFECT_API_URL/work_pools/slipway"
}

# once STAMP SOURCE-FINGERPRINT SENTENCE COMMAND…
once() {
    local stamp=$HOME_OF_STAMPS/$1
    unchanged "$stamp" "$2" && return
    say "$3"
    logged "$1" "${@:4}"
    record_stamp "$stamp" "$2"
}

exec 9>"$RUN/deployments.lock"
flock 9
once pool 1 "Creating the work pool." tell_pool
once blocks "$(fingerprint blocks "$LAB_DIR/blocks.py" "$SLIPWAY_STATE/lab") $SLIPWAY_LAB_REGISTRY_PORT" \
    "Saving the lab's blocks." python "$LAB_DIR/blocks.py"
[[ -e prefect.yaml ]] || exit 0
once deployments "$(fingerprint prefect.yaml flows)" \
    "Deploying the flows to Prefect (about 10 s)." prefect --no-prompt deploy --all
