#!/usr/bin/env bash
# The main job, from nothing: the data home and a first release; a second one promoted from colour to colour while
# clients are at work; a third, much slower than the second, which the gates refuse; and what somebody else did to the
# registry, which is refused because it is not signed. Can be run again at any time.
. "$(dirname "$0")/common.sh"
. "$LAB_DIR/demo-words.sh"
cd "$CHECKOUT"

EDGE=http://127.0.0.1:$SLIPWAY_LAB_EDGE_PORT
RUN_ID=$(date +%H%M%S)
COMMIT=$(git rev-parse --short HEAD 2>/dev/null || echo first)
FIRST=$COMMIT-1 SECOND=$COMMIT-2.$RUN_ID THIRD=$COMMIT-3.$RUN_ID

load=(--url "$EDGE")
active() { python -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())' "$EDGE/.slipway/active"; }
carries() { slipway status --json | python -c 'import json, sys; sys.exit(json.load(sys.stdin)["droplets"][sys.argv[1]]["release"] is None)' "$1"; }

# changed FILE PATTERN REPLACEMENT: a copy of the stack with one line changed.
changed() {
    rm -rf "$WORK/stack" && cp -r compose "$WORK/stack"
    sed -i "0,\\|$2|s||$3|" "$WORK/stack/agents/services/$1"
    ! diff -q "compose/agents/services/$1" "$WORK/stack/agents/services/$1" >/dev/null || fail "the demo found nothing to change in $1"
}

slipway keys show | grep -q 'BEGIN PUBLIC KEY' || {
    headline "A key: releases are signed with it from now on, and verified before anything is changed"
    slipway keys generate
}

colour=$(active)
if ! carries data || ! carries "$colour"; then
    headline "First, the data home and a first release on $colour"
    slipway build-push --tag "$FIRST"
    slipway deploy-home --tag "$FIRST" --approval never
    slipway release --tag "$FIRST" --droplet "$colour"
fi

headline "A second release, promoted to the other colour under load"
changed gateway_mcp.py 'Parse code and report what is wrong' 'Read code and report what is wrong'
under_load slipway release --stack "$WORK/stack" --tag "$SECOND" --promote --approval never

headline "A third release, which answers well and is slow on purpose"
changed cicd.py 'def generate(fields: Fields) -> dict\[str, Any\]:' 'def generate(fields: Fields) -> dict[str, Any]:\n    __import__("time").sleep(1)'
if under_load slipway release --stack "$WORK/stack" --tag "$THIRD" --promote --approval never; then
    fail "the gates let a slow release through"
fi

headline "Somebody who may push to the registry swaps an image behind the tag of the second release"
runs() { slipway status --json | python -c 'import json, sys; print(json.dumps([[n, d["release"], d["services"]] for n, d in json.load(sys.stdin)["droplets"].items()], sort_keys=True))'; }
before=$(runs) colour=$(active)
meant=$(quiet python -P compose/lab/swap_image.py agents "$SECOND")
if slipway deploy --tag "$SECOND" --droplet "$colour"; then fail "an image that nobody signed was deployed"; fi
quiet python -P compose/lab/swap_image.py agents "$SECOND" "$meant"
[[ $(runs) == "$before" ]] || fail "the refused deploy changed something"
echo "Refused, and nothing was changed: what runs is what ran before."

headline "Where everything stands now"
slipway status
slipway stability --html reports/stability.html
say "The last days of this lab on one page, these three releases among them: reports/stability.html"
say "Every run, with its log and tables: ${PREFECT_API_URL%/api}. It asks for a login, which \`make login\` shows."
