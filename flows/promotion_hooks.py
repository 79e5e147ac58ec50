"""What happens when a promotion fails, crashes or is cancelled; as flows/hooks.py does for a single droplet."""

from typing import Any

from prefect.logging import get_logger

from blocks.errors import OutsideError
from flows.core.errors import SlipwayError
from flows.core.layout import Home
from flows.hooks import refused
from flows.reconcile import reconcile
from flows.settings import Settings
from flows.tasks.connection import connected
from flows.tasks.lock import locked
from flows.tasks.prune import prune_willingly
from flows.tasks.saved import load_droplet
from flows.tasks.source import stack_name
from flows.watch import watch


def tidy_colours(flow: Any, flow_run: Any, state: Any) -> None:
    """After a promotion that put a release on the idle colour and failed: `tidy`, on every droplet of the colours."""
    if refused(state) or not flow_run.parameters.get("tag"):
        return
    for droplet, home, settings in _colours(flow_run):
        try:
            with (
                connected(droplet) as session,
                locked(session, droplet.directory, "pruning after a failure", settings.lock_patience) as lock,
            ):
                prune_willingly(lock, home, settings)
        except (SlipwayError, OutsideError) as error:
            get_logger("slipway.hooks").warning("nothing was pruned on %s: %s", droplet.name, error)


def settle(flow: Any, flow_run: Any, state: Any) -> None:
    """After a promotion crashed or was cancelled: finish or undo what it began on the droplets, then see to it that
    traffic is on a colour that is well."""
    if flow_run.parent_task_run_id or (flow.name == "release" and not flow_run.parameters.get("promote")):
        return
    log = get_logger("slipway.hooks")
    for droplet, home, settings in _colours(flow_run):
        try:
            reconcile(home.stack, droplet.name, settings.lock_patience)
        except (SlipwayError, OutsideError) as error:
            log.warning("%s was not put right: %s", droplet.name, error)
    try:
        watch(stack_name(flow_run.parameters.get("stack") or Settings().stack), 0.0)
    except (SlipwayError, OutsideError) as error:
        log.warning("%s", error)


def _colours(flow_run: Any) -> list[tuple[Any, Home, Settings]]:
    settings = Settings()
    stack = stack_name(flow_run.parameters.get("stack") or settings.stack)
    droplets = [load_droplet(name) for name in (*settings.green, *settings.blue)]
    return [(droplet, Home(droplet.directory, stack), settings) for droplet in droplets]
