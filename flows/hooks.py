"""What happens when a run fails, crashes or is cancelled. Hooks gather and tidy; they decide nothing.

After a cancel, and after a crash of a worker's run, they run in a fresh process: everything is rebuilt from the run's
parameters and from the droplet, and the arguments come by these very names. What a hook raises is logged, and the run's
own error is still what is reported.
"""

from typing import Any

from prefect.logging import get_logger

from blocks.errors import OutsideError
from flows.core.errors import SlipwayError
from flows.core.layout import Home
from flows.core.role import home_stack
from flows.settings import Settings
from flows.tasks.capture import capture as keep_bundle
from flows.tasks.connection import connected
from flows.tasks.lock import locked
from flows.tasks.prune import free_build_host, prune_willingly
from flows.tasks.saved import load_droplet
from flows.tasks.source import stack_name

REFUSED = 2


def tidy_build_host(flow: Any, flow_run: Any, state: Any) -> None:
    """Remove what a failed build or push leaves on the build host: dangling layers of this stack, and builder cache
    beyond the configured size. Nothing tagged, nothing of another stack."""
    parameters = flow_run.parameters
    settings = Settings()
    wanted = parameters.get("cleanup_on_failure")
    if not (settings.cleanup_on_failure if wanted is None else wanted):
        return
    for words in free_build_host(stack_name(parameters.get("stack") or settings.stack), settings):
        get_logger("slipway.hooks").info("after the failure: %s", words)


def tidy(flow: Any, flow_run: Any, state: Any) -> None:
    """Remove from the droplet what a failed run leaves and no kept release needs. The run has rolled back by now."""
    if flow_run.parent_task_run_id or refused(state):
        return  # the run that started it does this; and after a refusal there is nothing to tidy
    target, home, settings = _place(flow, flow_run)
    try:
        with (
            connected(target) as session,
            locked(session, target.directory, "pruning after a failure", settings.lock_patience) as lock,
        ):
            prune_willingly(lock, home, settings)
    except (SlipwayError, OutsideError) as error:
        get_logger("slipway.hooks").warning("nothing was pruned: %s", error)


def capture(flow: Any, flow_run: Any, state: Any) -> None:
    """Keep a debug bundle of what did not pass, before it is rolled back."""
    target, home, settings = _place(flow, flow_run)
    try:
        with connected(target) as session:
            keep_bundle(session, home, settings, getattr(_error(state), "services", ()))
    except OutsideError as error:
        get_logger("slipway.hooks").warning("no debug bundle could be made: %s", error)


def mend(flow: Any, flow_run: Any, state: Any) -> None:
    """After a crash or a cancel: gather what there is to see, then finish or undo what was begun, then prune."""
    if flow_run.parent_task_run_id or flow_run.parameters.get("promote"):
        return
    from flows.reconcile import reconcile  # noqa: PLC0415 — it has hooks itself

    target, home, settings = _place(flow, flow_run)
    try:
        capture(flow, flow_run, state)
    except Exception as error:  # whatever it is: looking must never stand in the way of mending
        get_logger("slipway.hooks").warning("no debug bundle could be made: %s", error)
    reconcile(home.stack, target.name, settings.lock_patience)


def refused(state: Any) -> bool:
    return getattr(_error(state), "exit_code", 1) == REFUSED


def _error(state: Any) -> Any:
    """What the run failed by; a cancelled or crashed run has no result to ask for."""
    return state.result(raise_on_failure=False) if state.is_failed() else None


def _place(flow: Any, flow_run: Any) -> tuple[Any, Home, Settings]:
    settings = Settings()
    name = stack_name(flow_run.parameters.get("stack") or settings.stack)
    if flow.name == "deploy-home":
        target, name = load_droplet(settings.home), home_stack(name)
    else:
        target = load_droplet(flow_run.parameters.get("droplet") or settings.droplet)
    return target, Home(target.directory, name), settings
