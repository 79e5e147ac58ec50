#!/usr/bin/env bash
# What Slipway does at DigitalOcean, from nothing: account, registry, a release through it, a snapshot, a second droplet,
# a promotion by each kind of switch while clients are at work, a rehearsal; and nothing is left that costs anything.
. "$(dirname "$0")/common.sh"
cd "$CHECKOUT"

WORK=$(mktemp -d)
CLIENTS=
trap '[[ -z $CLIENTS ]] || kill "$CLIENTS" 2>/dev/null; rm -rf "$WORK"' EXIT
TAG=$(git rev-parse --short HEAD 2>/dev/null || echo first)-do.$(date +%H%M%S)
API=http://127.0.0.1:$SLIPWAY_LAB_DIGITALOCEAN_PORT
NAME_SERVER=127.0.0.1:$SLIPWAY_LAB_DNS_PORT
BALANCER=http://127.0.0.1:$SLIPWAY_LAB_BALANCER_PORT
export SLIPWAY_REGISTRY=docr SLIPWAY_ACTIVE_URL=

BOLD='' PLAIN=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then BOLD=$'\033[1m' PLAIN=$'\033[0m'; fi
headline() { printf '\n%s== %s%s\n' "$BOLD" "$*" "$PLAIN"; }
# ours WORDS: what of the account the demo needs to know, or takes away at its end.
ours() { python - "$API" "$SLIPWAY_STATE/lab/credentials.json" "$@" <<'PY'; }
import json, sys
from blocks.digitalocean.client import DigitalOcean
api, credentials, what = sys.argv[1:]
with DigitalOcean(json.load(open(credentials))["digitalocean_token"], api) as client:
    if what == "address":
        print(client.api.get("/v2/reserved_ips", "reserved_ip:read")["reserved_ips"][0]["ip"])
    if what == "remove-snapshots":
        for snapshot in client.snapshots.all():
            if "slipway-snapshot" in snapshot.tags:
                print(f"Removed {snapshot.name}." if client.snapshots.remove(snapshot.id) else "")
    if what == "nothing-left":
        left = [d.name for d in client.droplets.all(tag="slipway-provisioned")] + [s.name for s in client.snapshots.all()]
        sys.exit(f"left at DigitalOcean: {left}" if left else 0)
PY

# under_load CLIENTS… -- COMMAND…: the clients work meanwhile; what they saw is printed at the end.
under_load() {
    local clients=() status=0 noticed=0
    while [[ $1 != -- ]]; do clients+=("$1"); shift; done
    shift
    rm -f "$WORK/stop"
    "${clients[@]}" --seconds 300 --until-file "$WORK/stop" >"$WORK/clients" 2>&1 &
    CLIENTS=$!
    "$@" || status=$?
    # What is still cached runs out before the clients end.
    sleep "${PAUSE:-3}"
    touch "$WORK/stop"
    wait "$CLIENTS" || noticed=$?
    CLIENTS=
    printf '%sClients saw:%s ' "$BOLD" "$PLAIN"
    cat "$WORK/clients"
    ((noticed == 0)) || fail "clients noticed more than this switch promises."
    return $status
}
promote() { SLIPWAY_SWITCH=$1 SLIPWAY_WATCH=3 slipway promote --approval never; }

headline "The account, and its registry"
slipway account check
slipway registry set-docr --name docr --registry slipway-lab --host "$LAB_DOCR" --ca "$SLIPWAY_STATE/lab/tls/ca.crt"

headline "A release through that registry, to the data home and to both colours"
slipway build-push --tag "$TAG"
slipway deploy-home --tag "$TAG" --approval never >/dev/null
slipway deploy --tag "$TAG" --droplet green >/dev/null
slipway validate --droplet green >/dev/null
slipway deploy --tag "$TAG" --droplet blue

headline "A snapshot of green, and a droplet made of it"
slipway snapshot green
slipway provision green-copy --like green --approval never
slipway account droplets

ADDRESS=$(ours address)
slipway switch add-load-balancer balancer --url "$BALANCER" --balancer agents >/dev/null
slipway switch add-reserved-ip address --url "http://$ADDRESS:8000" --ip "$ADDRESS" >/dev/null
slipway switch add-dns name --url http://app.agents.lab:8000 --domain agents.lab --record app.agents.lab --ttl 60 \
    --name-servers "$NAME_SERVER" >/dev/null

headline "Promoted by the load balancer, under load"
under_load python -m benchmarks.load --url "$BALANCER" -- promote balancer
SLIPWAY_SWITCH=balancer slipway switch-back

headline "Promoted by the reserved IP, under load"
under_load python -m benchmarks.reach --url "http://$ADDRESS:8000" --may-fail 30 -- promote address
SLIPWAY_SWITCH=address slipway switch-back

headline "Promoted by the DNS record, under load; its TTL of 60 s is waited for first"
PAUSE=35 under_load python -m benchmarks.reach --url http://app.agents.lab:8000 --name-server "$NAME_SERVER" -- promote name
SLIPWAY_SWITCH=name slipway switch-back

headline "A rehearsal, on a droplet of its own"
slipway switch add-dns rehearsal --url http://app.agents.lab:8000 --domain agents.lab --record app.agents.lab --ttl 60 \
    --low-ttl 60 --blue rehearsal --name-servers "$NAME_SERVER" --untried >/dev/null
slipway rehearse || true
SLIPWAY_REHEARSAL_SWITCH=rehearsal slipway rehearse --force --approval never

headline "Away with the second droplet and the snapshots"
slipway decommission green-copy --approval never
ours remove-snapshots
ours nothing-left
slipway account droplets

headline "Every request and answer, as DigitalOcean describes them"
python -m tests.support.lab.api_contract
