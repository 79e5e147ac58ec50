#!/usr/bin/env bash
# Everything the Prefect server is told: the work pool, the blocks, the deployments. Each only when its source
# changed since this server was told last; the stamps stand in the server's home and go with it.
. "$(dirname "$0")/common.sh"

LAB=$SLIPWAY_STATE/lab
PORTS="$LAB_REGISTRY $SLIPWAY_LAB_EDGE_PORT $SLIPWAY_LAB_GREEN_SSH_PORT $SLIPWAY_LAB_BLUE_SSH_PORT $SLIPWAY_LAB_DATA_SSH_PORT"
PORTS+=" $SLIPWAY_LAB_EDGE_SSH_PORT $SLIPWAY_LAB_PROMETHEUS_PORT $SLIPWAY_LAB_LANGFUSE_PORT"
HOME_OF_STAMPS=$PREFECT_HOME/slipway-lab
mkdir -p "$HOME_OF_STAMPS"
cd "$CHECKOUT"

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
once pool "$(fingerprint work-pool.json)" "Creating the work pool." \
    prefect --no-prompt work-pool create slipway --type process --base-job-template work-pool.json --overwrite
once blocks "$(fingerprint blocks "$LAB_DIR/blocks.py" "$LAB"/{credentials.json,droplet_key,tls/ca.crt,{green,blue,data,edge}.host_key}) $PORTS" \
    "Saving the lab's blocks." python "$LAB_DIR/blocks.py"
[[ -e prefect.yaml ]] || exit 0
once deployments "$(fingerprint prefect.yaml flows)" \
    "Deploying the flows to Prefect (about 10 s)." prefect --no-prompt deploy --all
