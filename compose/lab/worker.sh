#!/usr/bin/env bash
# worker.sh up | down: the worker that carries out what is started from the Prefect UI or API.
. "$(dirname "$0")/common.sh"
. "$LAB_DIR/process.sh"

POOL=slipway

up() {
    if running worker; then return; fi
    cd "$CHECKOUT"
    rm -f "$LOGS/worker.log"
    start_detached worker python -m flows.cli worker --pool $POOL --name lab
    sleep 0.3
    running worker || {
        tail -n 25 "$LOGS/worker.log" >&2
        fail "the worker ended at once. All of its output: $LOGS/worker.log"
    }
}

exec 9>"$RUN/worker.lock"
flock 9
case ${1:-up} in
    up) up ;;
    down) stop_process worker 15 ;;
    *) fail "usage: worker.sh up|down" ;;
esac
