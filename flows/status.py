"""status: which release each droplet runs, and how its services are."""

from collections.abc import Collection, Mapping, Sequence

import httpx
from prefect.logging import get_run_logger

from blocks.errors import OutsideError
from blocks.http.request import request_within
from blocks.traffic.switch import SwitchState
from flows.core.deploy.facts import facts_script, read_facts
from flows.core.droplet.lock import holder_script, read_holder
from flows.core.droplet.running import read_running, running_script
from flows.core.errors import BlockMissing, SlipwayError
from flows.core.results import DropletStatus, service_states
from flows.settings import Settings
from flows.tasks.deploy.steps import current_release
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
    active, shares = _active(settings)
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
        facts = read_facts(session.run(facts_script(target.directory), timeout=QUICK).out, target.stack)
        holder = session.run(holder_script(target.droplet.directory), timeout=QUICK, check=False).out.strip()
        running = read_running(session.run(running_script(target.stack), timeout=QUICK).out)
    current = current_release(facts)
    colour = settings.colours.of(droplet)
    at_home = droplet == settings.home and not colour
    alone = True if settings.shown == (droplet,) else None
    is_active = alone if active is None else (colour or droplet) in active
    return DropletStatus(
        None if at_home else is_active,
        current.tag if current else None,
        service_states(running.containers, running.digests),
        record=facts.history.deployed(),
        holder=str(read_holder(holder)) if holder else "",
        home=at_home,
        share=shares.get(colour or ""),
        asleep=facts.asleep and not any(container.state == "running" for container in running.containers),
    )


def _active(settings: Settings) -> tuple[Collection[str] | None, Mapping[str, int]]:
    """The colours (or droplets) that traffic reaches, as the traffic switch says; without one, as `active_url` does.
    None: nobody knows. And the percent of the clients that reach each colour, while a canary divides them.
    """
    if settings.switch:
        try:
            with open_switch(settings) as switch:
                seen = read_switch(switch)
                return seen.active, _shares(seen)
        except (OutsideError, SlipwayError) as error:
            get_run_logger().warning("where traffic goes is not known: %s", error)
            return None, {}
    if not settings.active_url:
        return None, {}
    try:
        answer = request_within("GET", settings.active_url, 5)
        return (answer.text.strip(),) if answer.is_success else None, {}
    except httpx.HTTPError:
        return None, {}


def _shares(seen: SwitchState) -> Mapping[str, int]:
    if seen.share is None or seen.share.colour in seen.active:
        return {}
    return {**dict.fromkeys(seen.active, 100 - seen.share.percent), seen.share.colour: seen.share.percent}


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
