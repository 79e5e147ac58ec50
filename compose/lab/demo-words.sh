# shellcheck shell=bash
# What the demos share: how they speak, and a load whose clients say at the end what they saw.

WORK=$(mktemp -d)
CLIENTS=
load=()
trap '[[ -z $CLIENTS ]] || kill "$CLIENTS" 2>/dev/null; rm -rf "$WORK"' EXIT

BOLD='' PLAIN=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then BOLD=$'\033[1m' PLAIN=$'\033[0m'; fi

headline() { printf '\n%s== %s%s\n' "$BOLD" "$*" "$PLAIN"; }
# Prefect's own words about a block that is read are none of this story.
quiet() { PREFECT_LOGGING_LEVEL=ERROR PREFECT_LOGGING_INTERNAL_LEVEL=ERROR "$@"; }

# under_load COMMAND…: clients work at the edge meanwhile, as the array `load` says; what they saw is printed at the end.
under_load() {
    rm -f "$WORK/stop"
    python -m benchmarks.load "${load[@]}" --seconds 900 --until-file "$WORK/stop" >"$WORK/clients" 2>&1 &
    CLIENTS=$!
    local status=0 noticed=0
    "$@" || status=$?
    touch "$WORK/stop"
    wait "$CLIENTS" || noticed=$?
    CLIENTS=
    headline "What clients at the edge saw meanwhile"
    cat "$WORK/clients"
    ((noticed == 0)) || fail "clients at the edge noticed something."
    return $status
}
