"""status: which release each droplet runs, and how its services are."""

from collections.abc import Collection, Mapping, Sequence

from prefect.logging import get_run_logger

from blocks.errors import OutsideError
from blocks.traffic.active_url import read_active_url
from blocks.traffic.state import shares_of
from flows.core.errors import BlockMissing, SlipwayError
from flows.core.insight.status import read_status, status_script, with_traffic
from flows.core.results import DropletStatus
from flows.settings import Settings
from flows.tasks.droplet.connection import QUICK
from flows.tasks.droplet.target import Target
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import load_droplet
from flows.tasks.runs.declaration import flow
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name
from flows.tasks.traffic.switch import open_switch, read_switch


@flow(name="status", flow_run_name=run_name("look at {stack}"))
def status(stack: str | None = None, droplets: list[str] | None = None) -> dict[str, DropletStatus]:
    """Look at droplets and change nothing.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        droplets: names of Droplet blocks; default: both colours and the data home, those that were saved.

    Raises:
        what opening a droplet raises, when it was asked for by name.
    """
    settings = Settings()
    name = stack_name(stack or settings.stack)
    active, shares = active_colours(settings)
    found: dict[str, DropletStatus] = {}
    for droplet in droplets or settings.shown:
        try:
            found[droplet] = _look(droplet, name, active, shares, settings)
        except BlockMissing:
            if droplets:
                raise
        except (OutsideError, SlipwayError) as error:
            if droplets:
                raise
            found[droplet] = DropletStatus(None, None, trouble=str(error))
    table(f"status-{name}", _rows(found), f"Droplets of {name}")
    return found


def _look(
    droplet: str, stack: str, active: Collection[str] | None, shares: Mapping[str, int], settings: Settings
) -> DropletStatus:
    target = Target.of(load_droplet(droplet), settings.name_on(droplet, stack), settings)
    with target.connected() as session:
        seen = read_status(session.run(status_script(target.directory), timeout=QUICK).out, target.stack)
    alone = settings.shown == (droplet,)
    return with_traffic(seen, droplet, settings.colours, settings.home, active, shares, alone=alone)


def active_colours(settings: Settings) -> tuple[Collection[str] | None, Mapping[str, int]]:
    """The colours (or droplets) that traffic reaches, as the traffic switch says; without one, as `active_url` does.
    None: nobody knows. And the percent of the clients that reach each colour, while a canary divides them.
    """
    if settings.switch:
        try:
            with open_switch(settings) as switch:
                seen = read_switch(switch)
                return seen.active, shares_of(seen)
        except (OutsideError, SlipwayError) as error:
            get_run_logger().warning("where traffic goes is not known: %s", error)
            return None, {}
    return read_active_url(settings.active_url) if settings.active_url else None, {}


def _rows(found: dict[str, DropletStatus]) -> Sequence[dict[str, object]]:
    return [
        {
            "droplet": droplet,
            "active": "asleep" if said.asleep else said.active,
            **({"clients": f"{said.share} %"} if said.share is not None else {}),
            "release": said.release or "none",
            "outcome": said.record.outcome.value if said.record else "",
            "service": name,
            **state.as_json(),
        }
        for droplet, said in found.items()
        for name, state in (said.services.items() or [])
    ]
