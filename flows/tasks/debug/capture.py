"""Debug bundles of what failed, made before anything is put right. They decide nothing."""

from collections.abc import Sequence
from typing import Any

from prefect.logging import get_logger

from blocks.errors import OutsideError
from blocks.ssh.shell import RemoteShell
from flows.core.droplet.directories import StackDirectory
from flows.core.errors import SlipwayError
from flows.settings import Settings
from flows.tasks.debug.bundle import bundle
from flows.tasks.droplet.target import Target
from flows.tasks.runs.context import run_context
from flows.tasks.runs.run_info import failure_of


def keep_bundle(
    session: RemoteShell, directory: StackDirectory, settings: Settings, besides: Sequence[str] = ()
) -> None:
    """Keep a debug bundle of every service that is not well, and of those that look well and are not (`besides`)."""
    log = get_logger("slipway.hooks")
    try:
        found = bundle(session, directory, None, settings, settings.log_lines * 5, besides)
    except (SlipwayError, OutsideError) as error:
        log.warning("no debug bundle could be made: %s", error)
        return
    if found.path:
        log.info("✓ debug bundle: %s", found.path)


def capture_failed_step(_task: Any, _task_run: Any, _state: Any) -> None:
    """A task's failure hook: a bundle of the droplet as the failed step left it."""
    at_work = run_context().at_work
    if at_work is not None and at_work.session.alive:
        keep_bundle(at_work.session, at_work.directory, at_work.settings)


def capture_after_failure(flow: Any, flow_run: Any, state: Any) -> None:
    """A validation's failure hook: a bundle of what did not pass, before it is rolled back."""
    parameters = flow_run.parameters
    capture(Target.resolve(stack=parameters.get("stack"), droplet=parameters.get("droplet")), state)


def capture(target: Target, state: Any) -> None:
    """Keep a bundle of what stands there after a run that ended in this state."""
    try:
        with target.connected() as session:
            keep_bundle(session, target.directory, target.settings, getattr(failure_of(state), "services", ()))
    except OutsideError as error:
        get_logger("slipway.hooks").warning("no debug bundle could be made: %s", error)
