"""What happens when a run fails, crashes or is cancelled. Hooks gather and tidy; they decide nothing.

After a cancel, and after a crash of a worker's run, they run in a fresh process: everything is rebuilt from the run's
parameters and from the droplet, and the arguments come by these very names. What a hook raises is logged, and the run's
own error is still what is reported.
"""

from typing import Any

from prefect.logging import get_logger

from blocks.errors import OutsideError
from flows.core.droplet.directories import StackDirectory
from flows.core.errors import SlipwayError
from flows.reconcile import reconcile
from flows.settings import Settings
from flows.tasks.cloud.rehearsal import (
    remove_left,
)
from flows.tasks.debug.capture import capture_after_failure
from flows.tasks.droplet.connection import connected
from flows.tasks.droplet.lock import locked
from flows.tasks.droplet.target import _place
from flows.tasks.prune.build_host import free_build_host
from flows.tasks.prune.droplet import prune_best_effort
from flows.tasks.runs.blocks import load_droplet
from flows.tasks.runs.run_info import was_refused
from flows.tasks.stack.source import stack_name
from flows.watch import watch


def prune_build_host_after_failure(flow: Any, flow_run: Any, state: Any) -> None:
    """Remove what a failed build or push leaves on the build host: dangling layers of this stack, and builder cache
    beyond the configured size. Nothing tagged, nothing of another stack."""
    parameters = flow_run.parameters
    settings = Settings()
    wanted = parameters.get("cleanup_on_failure")
    if not (settings.cleanup_on_failure if wanted is None else wanted):
        return
    for words in free_build_host(stack_name(parameters.get("stack") or settings.stack), settings):
        get_logger("slipway.hooks").info("after the failure: %s", words)


def prune_after_failure(flow: Any, flow_run: Any, state: Any) -> None:
    """Remove from the droplet what a failed run leaves and no kept release needs. The run has rolled back by now."""
    if flow_run.parent_task_run_id or was_refused(state):
        return  # the run that started it does this; and after a refusal there is nothing to tidy
    target, home, settings = _place(flow, flow_run)
    try:
        with (
            connected(target) as session,
            locked(session, target.directory, "pruning after a failure", settings.lock_patience) as lock,
        ):
            prune_best_effort(lock, home, settings)
    except (SlipwayError, OutsideError) as error:
        get_logger("slipway.hooks").warning("nothing was pruned: %s", error)


def recover_after_crash(flow: Any, flow_run: Any, state: Any) -> None:
    """After a crash or a cancel: gather what there is to see, then finish or undo what was begun, then prune."""
    if flow_run.parent_task_run_id or flow_run.parameters.get("promote"):
        return
    target, home, settings = _place(flow, flow_run)
    try:
        capture_after_failure(flow, flow_run, state)
    except Exception as error:  # whatever it is: looking must never stand in the way of mending
        get_logger("slipway.hooks").warning("no debug bundle could be made: %s", error)
    reconcile(home.stack, target.name, settings.lock_patience)


def prune_colours_after_failure(flow: Any, flow_run: Any, state: Any) -> None:
    """After a promotion that put a release on the idle colour and failed: `tidy`, on every droplet of the colours."""
    if was_refused(state) or not flow_run.parameters.get("tag"):
        return
    for droplet, home, settings in _colours(flow_run):
        try:
            with (
                connected(droplet) as session,
                locked(session, droplet.directory, "pruning after a failure", settings.lock_patience) as lock,
            ):
                prune_best_effort(lock, home, settings)
        except (SlipwayError, OutsideError) as error:
            get_logger("slipway.hooks").warning("nothing was pruned on %s: %s", droplet.name, error)


def recover_promotion(flow: Any, flow_run: Any, state: Any) -> None:
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


def _colours(flow_run: Any) -> list[tuple[Any, StackDirectory, Settings]]:
    settings = Settings()
    stack = stack_name(flow_run.parameters.get("stack") or settings.stack)
    droplets = [load_droplet(name) for name in (*settings.green, *settings.blue)]
    return [(droplet, StackDirectory(droplet.directory, stack), settings) for droplet in droplets]


def remove_failed_rehearsal(flow: Any, flow_run: Any, state: Any) -> None:
    """After a rehearsal failed, crashed or was cancelled: nothing of it may go on costing money."""
    try:
        for words in remove_left(Settings(), mine=str(flow_run.id)):
            get_logger("slipway.hooks").info("removed %s", words)
    except (SlipwayError, OutsideError) as error:
        get_logger("slipway.hooks").warning("a rehearsal is left: %s. Run: slipway reconcile", error)
