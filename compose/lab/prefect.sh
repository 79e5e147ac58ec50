#!/usr/bin/env bash
# prefect.sh start | wait | down: the Prefect server of this checkout. It takes 10 to 20 s to start, so it is
# started early and waited for late.
. "$(dirname "$0")/common.sh"
. "$LAB_DIR/process.sh"

start() {
    if running prefect-server; then return; fi
    if (: <"/dev/tcp/127.0.0.1/$SLIPWAY_PREFECT_PORT") 2>/dev/null; then
        fail "port $SLIPWAY_PREFECT_PORT is taken, and not by this checkout's Prefect server." \
            "Stop what listens there, or choose another port: SLIPWAY_PREFECT_PORT=4201 make …"
    fi
    say "Starting the Prefect server."
    # One by one, each change of a task's state is a transaction: a third of the server's work, and SQLite locked for others.
    export PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE=20 PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE=50 \
        PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL=1
    # The API asks for no login here, so no web page but its own UI may read what it answers.
    export PREFECT_SERVER_CORS_ALLOWED_ORIGINS=http://127.0.0.1:$SLIPWAY_PREFECT_PORT,http://localhost:$SLIPWAY_PREFECT_PORT
    rm -f "$LOGS/prefect-server.log"
    start_detached prefect-server prefect server start --host 127.0.0.1 --port "$SLIPWAY_PREFECT_PORT"
}

healthy() { answers_http "$SLIPWAY_PREFECT_PORT" /api/health; }
healthy_or_ended() { healthy || ! running prefect-server; }

await() {
    start
    if until_ready 120 healthy_or_ended && running prefect-server && healthy; then return; fi
    tail -n 25 "$LOGS/prefect-server.log" >&2
    fail "the Prefect server did not become healthy. All of its output: $LOGS/prefect-server.log"
}

exec 9>"$RUN/prefect.lock"
flock 9
case ${1:-wait} in
    start) start ;;
    wait) await ;;
    down) stop_process prefect-server 15 ;;
    *) fail "usage: prefect.sh start|wait|down" ;;
esac
