"""The scripts that put the edge on a droplet: its image by digest, its files, its container.

They run under the droplet's lock, and may run twice.
"""

import json
import shlex

from flows.core.answers import reads
from flows.core.droplet.docker_commands import PROJECT_LABEL
from flows.core.errors import BadEdge
from flows.core.registry.references import engine_name, is_digest, is_pinned, split_host, split_reference
from flows.core.traffic.edge.places import AUTHORITY, CONFIG, DATA, LOG, PROJECT, SERVICE, STATE, EdgeDirectory
from flows.core.traffic.edge.project import LABEL
from flows.core.traffic.edge.site_scripts import CHANGED, REFUSED, SAME

NOT_UP = 72
# Arguments: directory, image, compose file, Caddyfile. Each file is written beside the one that is there, and Caddy of
# the new image is asked about all of it, sites included, before anything is put in its place.
_PUT_EDGE = f"""
set -u
umask 022
at=$1 image=$2
mkdir -p "$at/config/sites" "$at/state" "$at/log" "$at/data" && chmod 700 "$at/data" && cd "$at" || exit 73
rm -rf config/trial && mkdir config/trial && cp -R config/sites config/trial/ || exit 73
printf '%s' "$4" >config/trial/Caddyfile && printf '%s' "$3" >compose.new || exit 73
if ! cmp -s config/trial/Caddyfile config/Caddyfile || ! cmp -s compose.new compose.yml; then
    if ! timeout --kill-after=5 90 docker run --rm --network none --user 0:0 --entrypoint caddy \\
        -e XDG_DATA_HOME=/tmp -e XDG_CONFIG_HOME=/tmp -e HOME=/tmp --tmpfs /tmp --tmpfs {LOG} --tmpfs {DATA} \\
        -v "$at/config:{CONFIG}:ro" -v "$at/state:{STATE}:ro" "$image" \\
        validate --config {CONFIG}/trial/Caddyfile --adapter caddyfile >config/said 2>&1; then
        grep -vE '"level":"(info|warn|debug)"' config/said | tail -n 3 | cut -c1-1000 >&2
        rm -rf config/trial config/said compose.new
        exit {REFUSED}
    fi
fi
result={SAME}
if ! cmp -s config/trial/Caddyfile config/Caddyfile; then
    : >config/unloaded && mv -fT config/trial/Caddyfile config/Caddyfile || exit 73
    result={CHANGED}
fi
if cmp -s compose.new compose.yml; then rm -f compose.new; else mv -fT compose.new compose.yml && result={CHANGED}; fi
rm -rf config/trial config/said
echo "$result"
"""
# Arguments: directory, mark, how often (twice a second) a new container is asked. It is started beside the old one, at
# the same ports (SO_REUSEPORT), and only when it serves is the old one told to end, which lets requests under way end.
# So an upgrade is no outage.
_START_EDGE = f"""
set -u
cd "$1" || exit 73
mark=$2 turns=$3 result={SAME}
ids() {{ docker ps -q --no-trunc --filter label={PROJECT_LABEL}={PROJECT} "$@"; }}
compose() {{ docker compose --project-name {PROJECT} --file compose.yml "$@"; }}
up() {{ compose up --detach --no-build --pull never --quiet-pull "$@" >start.said 2>&1; }}
ours() {{ ids --filter "label={LABEL}=$mark" | head -n 1; }}
# Since before its start, and not since the engine calls it started: on a busy droplet it serves by then.
serves() {{ docker logs --since "$began" "$1" 2>&1 | grep -q 'serving initial configuration'; }}
fails() {{
    tail -n 3 start.said | cut -c1-1000 >&2
    [ -z "${{1:-}}" ] || docker logs --tail 3 "$1" 2>&1 | cut -c1-1000 >&2
    exit {NOT_UP}
}}
new=$(ours)
if [ -z "$new" ]; then
    result={CHANGED}
    old=$(ids) began=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    if [ -z "$old" ]; then
        up --remove-orphans --force-recreate || fails
    else
        up --no-recreate --scale {SERVICE}=2 || fails
    fi
    new=$(ours)
    [ -n "$new" ] || fails
    turn=0
    until serves "$new"; do
        turn=$((turn + 1))
        if [ "$turn" -gt "$turns" ]; then
            if [ -n "$old" ]; then
                docker logs --tail 3 "$new" >start.said 2>&1
                docker rm -f "$new" >/dev/null
                new=
            fi
            fails "$new"
        fi
        sleep 0.5
    done
    rm -f config/unloaded
fi
for other in $(docker ps -aq --no-trunc --filter label={PROJECT_LABEL}={PROJECT}); do
    if [ "$other" != "$new" ]; then docker stop "$other" >/dev/null; docker rm -f "$other" >/dev/null; fi
done
if [ -e config/unloaded ]; then
    timeout --kill-after=5 60 docker exec "$new" caddy reload --config {CONFIG}/Caddyfile --adapter caddyfile \\
        >start.said 2>&1 || fails
    rm -f config/unloaded
    result={CHANGED}
fi
rm -f start.said
echo "$result"
"""


def put_edge_script(directory: EdgeDirectory, image: str, project: str, caddyfile: str) -> list[str]:
    """The command that puts the edge's files there, once Caddy of that image takes them. Prints CHANGED or SAME."""
    return ["sh", "-c", _PUT_EDGE, "slipway-edge", directory.path, image, project, caddyfile]


def start_edge_script(directory: EdgeDirectory, mark: str, patience: int) -> list[str]:
    """The command that has the edge run as its files say, without an outage. Prints CHANGED or SAME.

    Args:
        patience: seconds that a new container may take until it serves.
    """
    return ["sh", "-c", _START_EDGE, "slipway-edge", directory.path, mark, str(2 * patience)]


def edge_version_script(image: str) -> list[str]:
    """The command that prints the version of an image's Caddy."""
    return ["docker", "run", "--rm", "--network", "none", "--entrypoint", "caddy", image, "version"]


def edge_authority_script() -> str:
    """The script that prints the certificate of the authority of an edge that certifies itself."""
    edge = f"docker ps -q --no-trunc --filter label={PROJECT_LABEL}={PROJECT} | head -n 1"
    return f'docker exec "$({edge})" cat {AUTHORITY} | head -c 20000'


def image_digests_script(image: str) -> str:
    """The script that prints the digests by which the droplet knows an image; nothing when it lacks it."""
    return f"docker image inspect --format '{{{{json .RepoDigests}}}}' {shlex.quote(image)} 2>/dev/null || true"


@reads("what the droplet says of the edge's image")
def read_pinned_image(printed: str, image: str) -> str:
    """The image by its digest, of what `image_digests_script` printed; '' when the droplet lacks it.

    Raises:
        BadEdge: no registry knows the image by a digest: it was built there.
    """
    if not printed.strip():
        return ""
    if is_pinned(image):
        return image
    repository = split_reference(image)[0]
    known = [str(one) for one in json.loads(printed) or ()]
    for one in known:
        digest = one.rpartition("@")[2]
        if is_digest(digest) and engine_name(f"{repository}@{digest}") == one:
            return f"{repository}@{digest}"
    raise BadEdge(
        f"the droplet knows the image {image!r} by no digest of {split_host(repository)[0]}, so nothing says which one "
        "it is tomorrow. Push it to a registry, and name it as it is there: --image REPOSITORY@sha256:…"
    )
