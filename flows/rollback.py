"""rollback: put a release that was good here in force again, and prove it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prefect.logging import get_logger, get_run_logger

from blocks.errors import OutsideError, RemoteTimeout, Unreachable
from flows.core.deploy.files.staging_scripts import discard_script
from flows.core.errors import LockLost, RollbackFailed, SlipwayError
from flows.core.records.lifecycle import conclude
from flows.core.records.rollback_target import rollback_target
from flows.core.results import RolledBack
from flows.hooks import prune_after_failure, recover_after_crash
from flows.reconcile import restore
from flows.tasks.droplet.connection import QUICK
from flows.tasks.droplet.target import Target
from flows.tasks.insight.overview import keep_overview
from flows.tasks.records.history import keep_record, load_history
from flows.tasks.runs.blocks import load_environment
from flows.tasks.runs.declaration import flow
from flows.tasks.runs.log_masking import mask
from flows.tasks.runs.measuring import with_measured
from flows.tasks.runs.run_info import now
from flows.tasks.runs.server import run_as_flow_or_plain
from flows.tasks.stack.run_names import run_name


@flow(
    name="rollback",
    flow_run_name=run_name("roll {stack} on {droplet} back"),
    overview=keep_overview,
    on_failure=[prune_after_failure],
    on_crashed=[recover_after_crash],
    on_cancellation=[recover_after_crash],
)
def rollback(
    to: str | None = None,
    stack: str | None = None,
    droplet: str | None = None,
    cause: str = "",
    wait: float = 0.0,
) -> RolledBack:
    """Put a release that was good on this droplet in force again, validate it, and prove its digests.

    What it needs stands on the droplet: neither git nor the registry is asked, unless its images are gone.

    Args:
        to: tag of the release; default: the last known good one (from a good release: the one before it).
        stack: the stack's name, or its compose file; default: the setting `stack`.
        droplet: name of the Droplet block; default: the setting `droplet`.
        cause: why, in words, for the record.
        wait: seconds to wait while another run changes the droplet.
    """
    target = Target.resolve(stack=stack, droplet=droplet)
    load_environment(target.settings, target.whole)  # what it holds is kept out of logs and errors from here on
    return roll_back(target, to=to, cause=cause, wait=wait)


def roll_back(target: Target, *, to: str | None, cause: str, wait: float) -> RolledBack:
    """The body of the flow; it can run without a Prefect server, when that went away in the middle of a run.

    A connection that is lost on the way is no reason to leave a droplet half way: it is tried once more.
    """
    settings = target.settings
    try:
        return _roll_back(target, to, cause, wait, settings.reconnect_timeout if cause else 0.0)
    except RollbackFailed as error:
        if not isinstance(error.__cause__, (Unreachable, RemoteTimeout, LockLost)):
            raise
        get_logger("slipway.hooks").warning("%s; once more", str(error.__cause__))
        return _roll_back(target, to, cause, settings.lock_patience, settings.reconnect_timeout)


def _roll_back(target: Target, to: str | None, cause: str, wait: float, patience: float) -> RolledBack:
    with target.locked(f"rollback of {target.stack}", wait, patience) as lock:
        history = load_history(lock, target.directory)
        return restore(lock, target, history, rollback_target(history, to), cause)


@dataclass
class RollbackGuard:
    """Whether a failure from here on is rolled back.

    Before it is armed, nothing but the files of a release on its way (`staged`: their name) has to go again.
    """

    armed: bool = False
    staged: str = ""


@contextmanager
def rollback_on_failure(target: Target) -> Iterator[RollbackGuard]:
    """Once the guard is armed, roll back to the last known good release whatever fails inside.

    The error that is raised is the one that happened, with the story of the rollback below it.
    """
    guard = RollbackGuard()
    try:
        yield guard
    except Exception as error:
        if guard.armed:
            get_run_logger().error("✗ %s: %s", type(error).__name__, str(error).partition("\n")[0])
            story = _undo(target, mask(f"{type(error).__name__}: {error}"))
            if isinstance(error, (SlipwayError, OutsideError)):
                error.add_story(story)
            else:
                error.add_note(story)
        elif guard.staged:
            _discard(target, guard.staged)
        raise


def _undo(target: Target, cause: str) -> str:
    """Roll back, and return what came of it in words."""
    wait = target.settings.lock_patience
    try:
        if not _has_rollback_target(target, cause):
            return "There was nothing good to go back to: the failed release was left as it is."
        back = run_as_flow_or_plain(
            lambda: rollback(stack=target.stack, droplet=target.name, cause=cause, wait=wait),
            lambda: roll_back(target, to=None, cause=cause, wait=wait),
        )
    except (SlipwayError, OutsideError) as error:
        return (
            f"The rollback did not succeed either: {type(error).__name__}: {mask(str(error))}\n"
            "When the droplet can be reached again: slipway reconcile"
        )
    return (
        f"Rolled back: release {back.release.tag} runs on {back.droplet} again, by digest, validated; "
        f"healthy after {back.healthy_after:.1f} s."
    )


def _discard(target: Target, name: str) -> None:
    """Remove what was put there of a release that does not come; the next run would do it, but it holds secrets."""
    try:
        with target.locked("discarding files", target.settings.lock_patience) as lock:
            lock.run(discard_script(target.directory, name), timeout=QUICK)
    except (SlipwayError, OutsideError) as error:
        get_logger("slipway.hooks").warning("the files of %s were not removed yet: %s", name, error)


def _has_rollback_target(target: Target, cause: str) -> bool:
    """Whether there is a release to go back to. If not, the record of the failed one is closed."""
    settings = target.settings
    purpose = f"rollback of {target.stack}"
    with target.locked(purpose, settings.lock_patience, settings.reconnect_timeout) as lock:
        history = load_history(lock, target.directory)
        if history.unfinished and not history.good():
            keep_record(lock, target.directory, conclude(history, with_measured(history.unfinished), now(), cause))
        return bool(history.good())
