#!/usr/bin/env bash
# One droplet, from `docker compose up` to two colours: a plain Compose stack that is serving is adopted, two releases are
# promoted with clients at work, and the droplet loses power. Can be run again at any time: it begins with a new droplet.
. "$(dirname "$0")/common.sh"
. "$LAB_DIR/demo-words.sh"
cd "$CHECKOUT"

MACHINE=$SLIPWAY_LAB-first HOST=agents.example.com
TAG=$(git rev-parse --short HEAD 2>/dev/null || echo first).$(date +%H%M%S)
STACK=compose/docker-compose.yml:compose/one-droplet.yml
# What a slipway.toml beside the compose file would say.
export SLIPWAY_ONE_DROPLET=prod SLIPWAY_HOME='' SLIPWAY_SWITCH=agents-edge SLIPWAY_ENVIRONMENT=one-droplet
export SLIPWAY_PROMETHEUS='' SLIPWAY_LANGFUSE='' SLIPWAY_WATCH=5 SLIPWAY_DRAIN=10 SLIPWAY_APPROVAL=never

on_it() { docker exec -i "$MACHINE" "$@"; }
port() { docker port "$MACHINE" "$1/tcp" | sed -n '1s/.*://p'; }
# asked PATH: what the edge answers, its headers first. plainly PORT PATH [BODY]: the same of a service without an edge.
asked() { python -P "$LAB_DIR/ask.py" "https://127.0.0.1:$(port 443)$1" "$HOST" "$WORK/ca.crt"; }
plainly() { python -P "$LAB_DIR/ask.py" "http://127.0.0.1:$(port "$1")$2" '' '' "${3:-}"; }

# A droplet of its own, as small as somebody's first one; what an earlier run left of it goes.
new_droplet() {
    docker rm --force --volumes "$MACHINE" >/dev/null 2>&1 || true
    local ports ssh tls web
    # Chosen here: ports that the engine chooses are others after a restart.
    ports=$(python -c 'import socket as s; a = [s.create_server(("127.0.0.1", 0)) for _ in "123"]; print(*(x.getsockname()[1] for x in a))')
    read -r ssh tls web <<<"$ports"
    docker run --detach --init --name "$MACHINE" --hostname first --label dev.slipway.lab=true \
        --label "com.docker.compose.project=$SLIPWAY_LAB" --network "$SLIPWAY_LAB" --privileged --tmpfs /run \
        --volume /var/lib/docker --volume /var/lib/droplet --volume /opt \
        --volume "$SLIPWAY_STATE/lab/droplet_key.pub:/etc/slipway/authorized_keys:ro" \
        --volume "$SLIPWAY_STATE/lab/certs.d:/etc/docker/certs.d:ro" \
        --publish "127.0.0.1:$ssh:22" --publish "127.0.0.1:$tls:443" --publish "127.0.0.1:$web:8000" "$SLIPWAY_LAB-droplet" >/dev/null
    until_ready 60 on_it healthy || fail "the droplet did not start: docker logs $MACHINE"
}

# changed TEXT: a copy of the stack whose gateway says something else.
changed() {
    rm -rf "$WORK/stack" && cp -r compose "$WORK/stack"
    sed -i "0,\\|Parse code and report what is wrong|s||$1|" "$WORK/stack/agents/services/gateway_mcp.py"
    ! diff -q compose/agents/services/gateway_mcp.py "$WORK/stack/agents/services/gateway_mcp.py" >/dev/null ||
        fail "the demo found nothing to change"
}

promote_two() {
    local tag
    for tag in "$TAG-2" "$TAG-3"; do
        changed "Read code, and say what is wrong (${tag##*-})"
        slipway release --stack "$WORK/stack/docker-compose.yml:$WORK/stack/one-droplet.yml" --tag "$tag" --promote
    done
}

headline "A droplet with Docker on it, and the sample stack as a plain Compose project that serves"
new_droplet
quiet python -P -c 'import sys; sys.path.insert(0, "."); from blocks import StackEnvironment as E; E().save("one-droplet", overwrite=True)'
quiet slipway droplet add prod --host 127.0.0.1 --port "$(port 22)" --key-file "$SLIPWAY_STATE/lab/droplet_key" \
    --directory /opt/slipway --yes
slipway build-push --stack "$STACK" --tag "$TAG-1"
on_it mkdir -p /root/agents
docker cp -q compose/docker-compose.yml "$MACHINE:/root/agents/"
docker cp -q compose/one-droplet.yml "$MACHINE:/root/agents/"
on_it mkdir -p /root/agents/agents
read -r user password < <(python -c 'import json, sys; c = json.load(open(sys.argv[1])); print(c["registry_username"], c["registry_password"])' "$SLIPWAY_STATE/lab/credentials.json")
on_it docker login --username "$user" --password-stdin "$LAB_REGISTRY" <<<"$password" >/dev/null 2>&1
on_it sh -c "cd /root/agents && touch ca && REGISTRY=$LAB_REGISTRY/agents IMAGE_TAG=$TAG-1 CA_BUNDLE=/root/agents/ca \
    docker compose -f docker-compose.yml -f one-droplet.yml up -d --no-build --quiet-pull --wait" 2>&1 | tail -n 3
on_it docker logout "$LAB_REGISTRY" >/dev/null
plainly 8000 /health | tail -n 1
plainly 8000 /api/tasks '{"id": "before", "what": "from before"}' >/dev/null

headline "The edge, and the stack adopted: what keeps state goes home with its volumes, the rest becomes green"
docker tag "$SLIPWAY_LAB-edge" "$LAB_REGISTRY/agents/caddy:lab"
login=$(mktemp -d -p "$WORK")
docker --config "$login" login --username "$user" --password-stdin "$LAB_REGISTRY" <<<"$password" >/dev/null 2>&1
docker --config "$login" push -q "$LAB_REGISTRY/agents/caddy:lab"
slipway edge setup prod --image "$LAB_REGISTRY/agents/caddy:lab" --tls internal --stack agents --url "https://$HOST" --yes
slipway adopt --stack agents --tag "$TAG-1" --approval never
on_it cat /opt/slipway/.edge/data/caddy/pki/authorities/local/root.crt >"$WORK/ca.crt"
# The colour that traffic left goes to sleep, and ends its streams in order.
load=(--url "https://127.0.0.1:$(port 443)" --host "$HOST" --ca "$WORK/ca.crt" --streams-end)
asked '/api/tasks?prefix=before' | grep -q '"count": *1' || fail "the task from before is gone"
echo "The task that was written to the plain project is there."

headline "Two releases, promoted one after the other with clients at work"
under_load promote_two

headline "The droplet loses power, and is started again"
docker kill "$MACHINE" >/dev/null && docker start "$MACHINE" >/dev/null
served() { asked /health | grep -qi "^x-slipway-release: $TAG-3"; }
until_ready 120 served || fail "the droplet does not serve $TAG-3 again"
asked '/api/tasks?prefix=before' | grep -q '"count": *1' || fail "the task from before is gone"
echo "It serves $TAG-3 again, and the task from before is there."

headline "Where everything stands now"
slipway status --stack agents
slipway edge show prod
say "Every run, with its log and tables: ${PREFECT_API_URL%/api}. \`docker rm -f $MACHINE\` takes the droplet away, and so does \`make down\`."
