#!/usr/bin/env bash
# prefect.sh start | wait | login | down: the Prefect server of this checkout. It takes 10 to 20 s to start, so it is
# started early and waited for late. `login` shows what its UI asks for.
. "$(dirname "$0")/common.sh"
. "$LAB_DIR/process.sh"

# The one file that the server, the worker, `slipway` and `prefect` read the login from.
PROFILES=$PREFECT_HOME/profiles.toml

make_login() {
    local login
    login=slipway:$(head -c 24 /dev/urandom | base64 | tr +/ -_)
    (umask 077 && cat >"$PROFILES.new") <<TOML
active = "lab"

[profiles.lab]
PREFECT_API_AUTH_STRING = "$login"
PREFECT_SERVER_API_AUTH_STRING = "$login"
TOML
    mv "$PROFILES.new" "$PROFILES"
}

show_login() { sed -nE 's/^PREFECT_API_AUTH_STRING = "(.*)"$/\1/p' "$PROFILES" 2>/dev/null | grep .; }

start() {
    # A server from before there was a login, and the worker that has none, are replaced.
    if ! show_login >/dev/null; then
        "$LAB_DIR/worker.sh" down 9>&-
        stop_process prefect-server 15
        make_login
    fi
    if running prefect-server; then return; fi
    if (: <"/dev/tcp/127.0.0.1/$SLIPWAY_PREFECT_PORT") 2>/dev/null; then
        fail "port $SLIPWAY_PREFECT_PORT is taken, and not by this checkout's Prefect server." \
            "Stop what listens there, or choose another port: SLIPWAY_PREFECT_PORT=4201 make …"
    fi
    say "Starting the Prefect server."
    # One by one, each change of a task's state is a transaction: a third of the server's work, and SQLite locked for others.
    export PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE=20 PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE=50 \
        PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL=1
    # Whoever is logged in at the UI has the login in their browser; no other web page may read what the API answers.
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
    login) show_login || fail "there is no login yet. Start the lab: make lab" ;;
    down) stop_process prefect-server 15 ;;
    *) fail "usage: prefect.sh start|wait|login|down" ;;
esac
