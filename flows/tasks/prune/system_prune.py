"""The last resort on a droplet whose disk is full: everything unused goes, of every project, but no named volume."""

from prefect import task
from prefect.logging import get_run_logger

from blocks.ssh.session import Session
from flows.core.errors import EngineTooOld, VolumeLost
from flows.core.prune.system_prune import Debris, debris_script, keep_script, read_debris, system_prune, too_old
from flows.tasks.droplet.connection import QUICK
from flows.tasks.droplet.lock import Held
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.retries import ONCE, RAW, RETRIED

_LONG = 900.0


def look_at_debris(session: Session | Held, directory: str) -> Debris:
    """What a system prune would take.

    Raises:
        EngineTooOld: it would take named volumes too.
    """
    debris = read_debris(session.run(debris_script(directory), timeout=QUICK).out)
    if reason := too_old(debris):
        raise EngineTooOld(
            f"{session.address}: {reason}. Nothing was changed. What is ours and not needed goes with: slipway prune"
        )
    return debris


@task(name="list debris", task_run_name="list what a system prune would take", timeout_seconds=120, **RETRIED)
def list_debris(session: Session | Held, directory: str) -> Debris:
    """Show as an artifact what a system prune would take.

    Raises:
        EngineTooOld
    """
    debris = look_at_debris(session, directory)
    droplet = session.address.name
    table(f"system-prune-{droplet}", debris.rows(), f"What a system prune would take from {droplet}")
    return debris


@task(name="system prune", task_run_name="remove everything unused", **ONCE)
def remove_debris(session: Held, directory: str) -> str:
    """Run the system prune, and prove that every named volume is still there. Returns what the engine says it freed.

    Images that a release on the droplet needs get a tag first, if an interrupted pull left them without.

    Raises:
        EngineTooOld: nothing was changed.
        VolumeLost: a named volume is gone.
    """
    log = get_run_logger()
    before = look_at_debris(session, directory)
    session.run(keep_script(before.to_keep), timeout=QUICK)
    answer = session.run(
        system_prune(), timeout=_LONG, on_line=lambda line: log.info("%s", line, extra={RAW: True}), check=True
    )
    lost = before.named - look_at_debris(session, directory).named
    if lost:
        raise VolumeLost(
            f"{session.address}: after the system prune there is no volume {', '.join(sorted(lost))} any more. "
            "Restore it from a backup, and report this with the engine's version"
        )
    lines = answer.out.strip().splitlines()
    return lines[-1] if lines else "nothing was said"
