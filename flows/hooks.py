"""What happens when a run fails, crashes or is cancelled. Hooks gather and tidy; they decide nothing.

After a cancel, and after a crash of a worker's run, they run in a fresh process: everything is rebuilt from the run's
parameters and from the droplet, and the arguments come by these very names. What a hook raises is logged, and the run's
own error is still what is reported.
"""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import wraps
from typing import Any

from prefect.logging import get_logger

from blocks.errors import OutsideError
from flows.core.control.events import INTERRUPTED
from flows.core.errors import SlipwayError
from flows.reconcile import reconcile
from flows.settings import Settings
from flows.settings.choice import chosen
from flows.tasks.cloud.rehearsal import remove_left
from flows.tasks.debug.capture import capture
from flows.tasks.droplet.target import Target
from flows.tasks.prune.build_host import free_build_host
from flows.tasks.prune.droplet import prune_best_effort
from flows.tasks.runs.blocks import load_droplet
from flows.tasks.runs.events import emit
from flows.tasks.runs.run_info import was_refused
from flows.tasks.stack.commit.commit_settings import commit_settings
from flows.tasks.stack.project import stack_name
from flows.tasks.traffic.adoption import adopting_target, undo_adoption
from flows.watch import watch

Hook = Callable[[Any, Any, Any], None]


def _of_its_run(hook: Hook) -> Hook:
    """The hook with the settings of its run: of its destination, its stack and its commit."""

    @wraps(hook)
    def run(flow: Any, flow_run: Any, state: Any) -> None:
        given = flow_run.parameters
        stack = given.get("stack")
        with ExitStack() as settings:
            settings.enter_context(chosen(given.get("destination") or "", stack or ""))
            try:
                settings.enter_context(commit_settings(stack, given.get("ref")))
            except (SlipwayError, OutsideError) as error:  # then by what lies in the checkout
                get_logger("slipway.hooks").warning("the commit's settings are not known: %s", error)
            hook(flow, flow_run, state)

    return run


@_of_its_run
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


@_of_its_run
def prune_after_failure(flow: Any, flow_run: Any, state: Any) -> None:
    """Remove from the droplet what a failed run leaves and no kept release needs. The run has rolled back by now."""
    if flow_run.parent_task_run_id or was_refused(state):
        return  # the run that started it does this; and after a refusal there is nothing to remove
    _prune(_colours(flow_run) if flow_run.parameters.get("promote") else [_target(flow_run)])


@_of_its_run
def prune_home_after_failure(flow: Any, flow_run: Any, state: Any) -> None:
    """As `prune_after_failure`, on the data home."""
    if not flow_run.parent_task_run_id and not was_refused(state):
        _prune([Target.data_home(stack=flow_run.parameters.get("stack"))])


@_of_its_run
def prune_colours_after_failure(flow: Any, flow_run: Any, state: Any) -> None:
    """As `prune_after_failure`, on every droplet of the colours: a promotion put a release on one of them."""
    if not flow_run.parent_task_run_id and not was_refused(state) and flow_run.parameters.get("tag"):
        _prune(_colours(flow_run))


@_of_its_run
def recover_after_crash(flow: Any, flow_run: Any, state: Any) -> None:
    """After a crash or a cancel: gather what there is to see, then finish or undo what was begun, then prune."""
    if not flow_run.parent_task_run_id and not flow_run.parameters.get("promote"):
        _recover(_target(flow_run), flow_run, state)


@_of_its_run
def recover_home_after_crash(flow: Any, flow_run: Any, state: Any) -> None:
    """As `recover_after_crash`, on the data home."""
    if not flow_run.parent_task_run_id:
        _recover(Target.data_home(stack=flow_run.parameters.get("stack")), flow_run, state)


@_of_its_run
def recover_promotion(flow: Any, flow_run: Any, state: Any) -> None:
    """After a promotion crashed or was cancelled: finish or undo what it began on the droplets, then see to it that
    traffic is on a colour that is well."""
    parameters = flow_run.parameters
    if flow_run.parent_task_run_id or not parameters.get("promote", True):
        return
    log = get_logger("slipway.hooks")
    stack = stack_name(parameters.get("stack") or Settings().stack)
    _tell(flow_run, state, stack, "")
    for target in _colours(flow_run):
        try:
            _reconcile(target)
        except (SlipwayError, OutsideError) as error:
            log.warning("%s was not put right: %s", target.name, error)
    try:
        watch(stack=stack, seconds=0.0)
    except (SlipwayError, OutsideError) as error:
        log.warning("%s", error)


@_of_its_run
def undo_adoption_after_crash(flow: Any, flow_run: Any, state: Any) -> None:
    """After an adoption crashed or was cancelled on its way: what ran before runs again."""
    settings = Settings()
    stack = stack_name(flow_run.parameters.get("stack") or settings.stack)
    _tell(flow_run, state, stack, settings.home)
    try:
        target = adopting_target(stack, settings)
        undone = undo_adoption(target, settings.lock_patience, unfinished=True)
    except (SlipwayError, OutsideError) as error:
        get_logger("slipway.hooks").warning("the adoption was not undone: %s. Run: slipway adopt --undo", error)
        return
    if undone:
        get_logger("slipway.hooks").info("%s", undone[1])


@_of_its_run
def remove_failed_rehearsal(flow: Any, flow_run: Any, state: Any) -> None:
    """After a rehearsal failed, crashed or was cancelled: nothing of it may go on costing money."""
    try:
        for words in remove_left(Settings(), mine=str(flow_run.id)):
            get_logger("slipway.hooks").info("removed %s", words)
    except (SlipwayError, OutsideError) as error:
        get_logger("slipway.hooks").warning("a rehearsal is left: %s. Run: slipway reconcile", error)


def _prune(targets: Iterable[Target]) -> None:
    for target in targets:
        try:
            with target.locked("pruning after a failure", target.settings.lock_patience) as lock:
                prune_best_effort(lock, target.directory, target.settings)
        except (SlipwayError, OutsideError) as error:
            get_logger("slipway.hooks").warning("nothing was pruned on %s: %s", target.name, error)


def _tell(flow_run: Any, state: Any, stack: str, droplet: str) -> None:
    name, message = (getattr(state, field, "") or "" for field in ("name", "message"))
    said = {"tag": flow_run.parameters.get("tag") or "", "verdict": name, "reason": message}
    emit(INTERRUPTED, stack=stack, droplet=droplet, run=str(flow_run.id), **said)


def _recover(target: Target, flow_run: Any, state: Any) -> None:
    _tell(flow_run, state, target.whole, target.name)
    try:
        capture(target, state)
    except Exception as error:  # whatever it is: looking must never stand in the way of recovery
        get_logger("slipway.hooks").warning("no debug bundle could be made: %s", error)
    _reconcile(target)


def _reconcile(target: Target) -> None:
    reconcile(stack=target.stack, droplet=target.name, wait=target.settings.lock_patience)


def _target(flow_run: Any) -> Target:
    return Target.resolve(stack=flow_run.parameters.get("stack"), droplet=flow_run.parameters.get("droplet"))


def _colours(flow_run: Any) -> list[Target]:
    settings = Settings()
    stack = stack_name(flow_run.parameters.get("stack") or settings.stack)
    return [Target.of(load_droplet(name), stack, settings) for name in (*settings.green, *settings.blue)]
