"""The droplets of a stack as they are now, looked at side by side, and where traffic goes."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from prefect.logging import get_logger

from blocks.errors import OutsideError
from blocks.traffic.active_url import read_active_url
from blocks.traffic.state import shares_of
from flows.core.errors import BlockMissing, SlipwayError
from flows.core.insight.status import read_status, status_script, with_traffic
from flows.core.results import DropletStatus
from flows.settings import Settings
from flows.tasks.droplet.target import Target
from flows.tasks.runs.blocks import load_droplet
from flows.tasks.traffic.switch import open_switch

# Seconds: whoever looks waits no longer for a droplet that is not there.
_CONNECT_S, _LOOK_S = 10.0, 30.0
_SIDE_BY_SIDE = 8


def read_droplets(
    stack: str, settings: Settings, named: Sequence[str] | None = None
) -> tuple[dict[str, DropletStatus], Collection[str] | None]:
    """The droplets that are named, or those of the settings that were saved; and the colours that traffic reaches.

    Raises:
        what opening a droplet raises, when it was named.
    """
    targets = {name: one for name in named or settings.shown if (one := _target(name, stack, settings, bool(named)))}
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        looks = pool.map(_look, targets.values())
        active, shares = active_colours(settings)
        seen = dict(zip(targets, looks, strict=True))
    alone = len(settings.shown) == 1
    found = {}
    for name, said in seen.items():
        if isinstance(said, DropletStatus):
            found[name] = with_traffic(said, name, settings.colours, settings.home, active, shares, alone=alone)
        elif named:
            raise said
        else:
            found[name] = DropletStatus(None, None, trouble=str(said))
    return found, active


def active_colours(settings: Settings) -> tuple[Collection[str] | None, Mapping[str, int]]:
    """The colours (or droplets) that traffic reaches, as the traffic switch says; without one, as `active_url` does.
    None: nobody knows. And the percent of the clients that reach each colour, while a canary divides them.
    """
    if settings.switch:
        try:
            with open_switch(settings) as switch:
                seen = switch.read()
                return seen.active, shares_of(seen)
        except (OutsideError, SlipwayError) as error:
            get_logger("slipway.hooks").warning("where traffic goes is not known: %s", error)
            return None, {}
    return read_active_url(settings.active_url) if settings.active_url else None, {}


def _target(name: str, stack: str, settings: Settings, asked: bool) -> Target | Exception | None:
    """None for a droplet of the settings that was never saved."""
    try:
        return Target.of(load_droplet(name), settings.name_on(name, stack), settings)
    except BlockMissing as error:
        return error if asked else None
    except (OutsideError, SlipwayError) as error:
        return error


def _look(target: Target | Exception) -> DropletStatus | Exception:
    if isinstance(target, Exception):
        return target
    try:
        with target.droplet.session(_CONNECT_S) as session:
            said = session.run(status_script(target.directory), timeout=_LOOK_S, name="status").out
        return read_status(said, target.stack)
    except (OutsideError, SlipwayError) as error:
        return error
