"""The edge's Compose project: one Caddy in the droplet's own network."""

import hashlib
import json

from flows.core.errors import BadEdge
from flows.core.registry.references import is_pinned
from flows.core.traffic.edge.places import CONFIG, DATA, LOG, PROJECT, READY_PATH, RUN, SERVICE, STATE

# What makes two edges the same, whatever Compose's own hash is made of.
LABEL = "slipway.edge"
# Of images that have neither, the shell's own connection says as much as is needed.
_ASK = (
    "url=http://127.0.0.1:80{path}; wget -q -T 5 -O /dev/null $$url || curl -fsS -m 5 -o /dev/null $$url "
    "|| bash -c '</dev/tcp/127.0.0.1/80'"
)
# It listens at the ports below 1024, and reads and writes what the droplet's user owns; nothing else of root's.
_CAPABILITIES = ("NET_BIND_SERVICE", "DAC_OVERRIDE")


def edge_project(image: str) -> str:
    """The compose file, as JSON. Directories are mounted, never single files: a rename in them is seen inside.

    Args:
        image: pinned by its digest.

    Raises:
        BadEdge: it is not.
    """
    if not is_pinned(image):
        raise BadEdge(
            f"the edge's image {image!r} is not pinned by a digest. Nothing was changed. Name it as "
            "REPOSITORY@sha256:…, or by a tag of a registry that the droplet can pull from: --image REFERENCE"
        )
    service = {
        "image": image,
        "entrypoint": ["caddy"],
        "command": ["run", "--config", f"{CONFIG}/Caddyfile", "--adapter", "caddyfile"],
        "network_mode": "host",
        "restart": "unless-stopped",
        "init": True,
        "user": "0:0",
        "read_only": True,
        "cap_drop": ["ALL"],
        "cap_add": list(_CAPABILITIES),
        "environment": {"XDG_CONFIG_HOME": f"{DATA}/config", "XDG_DATA_HOME": DATA, "HOME": DATA},
        "volumes": [
            f"./config:{CONFIG}:ro",
            f"./state:{STATE}:ro",
            f"./data:{DATA}",
            f"./log:{LOG}",
        ],
        "tmpfs": [f"{RUN}:mode=0700", "/tmp"],  # noqa: S108 — inside the container
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}},
        "healthcheck": {
            "test": ["CMD-SHELL", _ASK.format(path=READY_PATH)],
            "interval": "15s",
            "timeout": "12s",
            "retries": 3,
            "start_period": "20s",
        },
        # Longer than Caddy waits for requests that are under way.
        "stop_grace_period": "70s",
    }
    mark = hashlib.sha256(json.dumps(service, sort_keys=True).encode()).hexdigest()[:16]
    project = {"name": PROJECT, "services": {SERVICE: {**service, "labels": {LABEL: mark}}}}
    return json.dumps(project, indent=2) + "\n"


def edge_mark(project: str) -> str:
    """The label by which a container is known to be of this compose file."""
    return str(json.loads(project)["services"][SERVICE]["labels"][LABEL])
