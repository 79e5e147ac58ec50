"""The last resort on a droplet whose disk is full: everything unused goes, of every project, but no named volume."""

from prefect.logging import get_run_logger

from blocks.ssh.shell import RemoteShell
from flows.core.errors import EngineTooOld, VolumeLost
from flows.core.prune.system_prune import (
    PrunableObjects,
    keep_script,
    prunable_script,
    read_prunable,
    refuse_reason,
    system_prune_script,
)
from flows.tasks.droplet.connection import QUICK
from flows.tasks.droplet.lock import LockedSession
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import masked_line
from flows.tasks.runs.retries import ONCE, RAW, RETRIED

_LONG = 900.0


def read_prunable_objects(session: RemoteShell, directory: str) -> PrunableObjects:
    """What a system prune would take.

    Raises:
        EngineTooOld: it would take named volumes too.
    """
    prunable = read_prunable(session.run(prunable_script(directory), timeout=QUICK).out)
    if reason := refuse_reason(prunable):
        raise EngineTooOld(
            f"{session.address}: {reason}. Nothing was changed. What is ours and not needed goes with: slipway prune"
        )
    return prunable


@task(name="list prunable objects", task_run_name="list what a system prune would take", timeout_seconds=120, **RETRIED)
def list_prunable(session: RemoteShell, directory: str) -> PrunableObjects:
    """Show as an artifact what a system prune would take.

    Raises:
        EngineTooOld
    """
    prunable = read_prunable_objects(session, directory)
    droplet = session.address.name
    table(f"system-prune-{droplet}", prunable.rows(), f"What a system prune would take from {droplet}")
    return prunable


@task(name="system prune", task_run_name="remove everything unused", **ONCE)
def run_system_prune(session: LockedSession, directory: str) -> str:
    """Run the system prune, and prove that every named volume is still there. Returns what the engine says it freed.

    Images that a release on the droplet needs get a tag first, if an interrupted pull left them without.

    Raises:
        EngineTooOld: nothing was changed.
        VolumeLost: a named volume is gone.
    """
    log = get_run_logger()
    before = read_prunable_objects(session, directory)
    session.run(keep_script(before.to_keep), timeout=QUICK)
    answer = session.run(
        system_prune_script(before),
        timeout=_LONG,
        on_line=lambda line: log.info("%s", line, extra={RAW: True}),
        check=True,
    )
    lost = before.named - read_prunable_objects(session, directory).named
    if lost:
        raise VolumeLost(
            f"{session.address}: after the system prune there is no volume {', '.join(sorted(lost))} any more. "
            "Restore it from a backup, and report this with the engine's version"
        )
    lines = answer.out.strip().splitlines()
    return masked_line(lines[-1]) if lines else "nothing was said"
