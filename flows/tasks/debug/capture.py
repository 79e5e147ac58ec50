"""Gathers what there is to see when something failed, before anything is put right. It decides nothing."""

from collections.abc import Sequence
from typing import Any

from prefect.logging import get_logger

from blocks.errors import OutsideError
from blocks.ssh.session import Session
from flows.core.droplet.directories import StackDirectory
from flows.core.errors import SlipwayError
from flows.settings import Settings
from flows.tasks.debug.bundle import bundle
from flows.tasks.deploy.deployment import current_deployment
from flows.tasks.droplet.connection import connected
from flows.tasks.droplet.lock import LockedSession
from flows.tasks.droplet.target import _place
from flows.tasks.runs.run_info import _error


def keep_bundle(
    session: Session | LockedSession, directory: StackDirectory, settings: Settings, besides: Sequence[str] = ()
) -> None:
    """Keep a debug bundle of every service that is not well, and of those that look well and are not."""
    log = get_logger("slipway.hooks")
    try:
        found = bundle(session, directory, None, settings, settings.log_lines * 5, besides)
    except (SlipwayError, OutsideError) as error:
        log.warning("no debug bundle could be made: %s", error)
        return
    if found.path:
        log.info("✓ debug bundle: %s", found.path)


def capture_failed_step(_task: Any, _task_run: Any, _state: Any) -> None:
    """A task's failure hook: the droplet as the failed step left it."""
    deployment = current_deployment.get()
    if deployment is not None and deployment.session.alive:
        keep_bundle(deployment.session, deployment.home, deployment.settings)


def capture_after_failure(flow: Any, flow_run: Any, state: Any) -> None:
    """Keep a debug bundle of what did not pass, before it is rolled back."""
    target, home, settings = _place(flow, flow_run)
    try:
        with connected(target) as session:
            keep_bundle(session, home, settings, getattr(_error(state), "services", ()))
    except OutsideError as error:
        get_logger("slipway.hooks").warning("no debug bundle could be made: %s", error)
