"""Where traffic goes, as the switch says: a Caddy's state file is read over SSH, every other kind by its block."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from blocks.errors import OutsideError, PrefectFailed
from blocks.traffic.active_url import read_active_url
from blocks.traffic.caddy_files import READ, read_switch_files
from blocks.traffic.state import SwitchState, shares_of
from flows.api.blocks import read_block
from flows.api.client import PrefectApi
from flows.core.errors import SlipwayError
from flows.looking.places import droplet_of
from flows.settings import Settings

CADDY = "slipway-caddy-switch"
OTHERS = ("slipway-load-balancer-switch", "slipway-dns-switch", "slipway-reserved-ip-switch")
_TIMEOUT_S = 15.0


@dataclass(frozen=True)
class Traffic:
    """Where traffic goes.

    Args:
        active: the colours (or droplets) that it reaches; None: nobody knows.
        shares: colour → percent of the clients, while a canary divides them.
        trouble: why it is not known.
    """

    active: Collection[str] | None = None
    shares: Mapping[str, int] = field(default_factory=dict)
    trouble: str = ""


def read_traffic(api: PrefectApi, settings: Settings) -> Traffic:
    """Where traffic goes; what cannot be asked is told, and no error."""
    if not settings.switch:
        return Traffic(read_active_url(settings.active_url) if settings.active_url else None)
    try:
        if (fields := find_caddy(api, settings.switch)) is not None:
            seen = read_state_file(fields, settings.switch)
            return Traffic(seen.active, shares_of(seen))
        if not any(read_block(api, slug, settings.switch) for slug in (CADDY, *OTHERS)):
            return Traffic(trouble=f"where traffic goes is not known: no switch {settings.switch} was saved")
        # An admin API, or DigitalOcean's: these blocks ask themselves, and need Prefect.
        active, shares = import_module("flows.tasks.insight.droplets").active_colours(settings)
        return Traffic(active, shares)
    except (OutsideError, SlipwayError) as error:
        return Traffic(trouble=f"where traffic goes is not known: {error}")


def find_caddy(api: PrefectApi, name: str) -> dict[str, Any] | None:
    """The fields of a Caddy's switch with a state file; None where the switch is of another kind, or was never saved.

    Raises:
        Unreachable, LoginRefused, PrefectFailed
    """
    fields = read_block(api, CADDY, name)
    return fields if fields is not None and fields.get("way") != "admin" else None


def read_state_file(fields: Mapping[str, Any], name: str) -> SwitchState:
    """The state of a Caddy's traffic switch by its state file.

    Args:
        fields: of its block.
        name: of its block.

    Raises:
        PrefectFailed, and what a session raises.
    """
    try:
        host, directory = droplet_of(fields["host"], name), str(fields["directory"])
    except KeyError as error:
        raise PrefectFailed(f"block {CADDY}/{name} has no {error}. Save it anew: slipway switch add {name}") from None
    with host.session() as session:
        argv = ["sh", "-c", READ, "slipway-switch", directory]
        return read_switch_files(session.run(argv, timeout=_TIMEOUT_S, name="traffic switch").out)
