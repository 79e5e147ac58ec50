"""The places of the edge: its directory on the droplet, and where its container sees the parts of it.

DIRECTORY/.edge/
    compose.yml             the project `slipway-edge`
    config/                 Caddyfile  sites/STACK.caddy  trial/: what Caddy is asked about before it is put in force
    state/STACK/            green or blue: the active colour; release/COLOUR/TAG: the release that a colour has
    data/                   certificates and their keys
    log/STACK.log           requests, as JSON
"""

from dataclasses import dataclass

PROJECT = "slipway-edge"
SERVICE = "caddy"
CONFIG, STATE, DATA, LOG, RUN = "/etc/slipway-edge", "/state", "/data", "/log", "/run/slipway-edge"
ADMIN = f"unix/{RUN}/admin.sock"
# The certificate of the authority that an edge has which certifies itself.
AUTHORITY = f"{DATA}/caddy/pki/authorities/local/root.crt"
# Asked for at port 80, whatever the host: whether the edge is there.
READY_PATH, READY = "/.slipway/edge", "ready"
# Begins the first line of each file of ours, and leads to what it was made of, as JSON.
HEAD = "# slipway "


@dataclass(frozen=True)
class EdgeDirectory:
    """The edge's directory on a droplet.

    Args:
        directory: Slipway's directory there.
    """

    directory: str

    @property
    def path(self) -> str:
        return f"{self.directory}/.edge"

    @property
    def compose_file(self) -> str:
        return f"{self.path}/compose.yml"

    def state(self, stack: str) -> str:
        """The directory of a stack's traffic switch."""
        return f"{self.path}/state/{stack}"
