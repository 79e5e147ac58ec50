"""Removes from a droplet, and from the build host, what no kept release needs; what goes is listed first."""

from prefect.logging import get_logger, get_run_logger

from blocks.errors import OutsideError
from blocks.ssh.shell import RemoteShell
from flows.core.droplet.directories import StackDirectory
from flows.core.errors import SlipwayError
from flows.core.prune.inventory import inventory_script, read_inventory
from flows.core.prune.plan import plan_removal
from flows.core.prune.removal import Removal, read_refusals, removal_script
from flows.core.records.retention import check_retention
from flows.core.release.role import whole_stack
from flows.settings import Settings
from flows.tasks.droplet.connection import QUICK
from flows.tasks.droplet.lock import LockedSession
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.declaration import task
from flows.tasks.runs.reports import note_good_release
from flows.tasks.runs.retries import ONCE, RAW, RETRIED


def prune_droplet(
    session: LockedSession, directory: StackDirectory, settings: Settings, keep: int | None = None
) -> Removal:
    """List what no kept release of the stack needs, and remove exactly that. The lock must be held.

    Args:
        keep: how many good releases stay; default: the setting `retention`.

    Returns:
        What went; what the engine refused to remove stands among what is left.

    Raises:
        BadRetention, ForeignRecord, NewerRecord: nothing was changed.
    """
    removal = plan_prune(session, directory, settings.retention if keep is None else keep)
    stacks = {directory.stack, whole_stack(directory.stack)}
    note_good_release(settings, stacks, f"{session.address.name} {directory.stack}", removal.last_good)
    return remove_listed(session, directory, removal, settings) if removal.goes else removal


def prune_best_effort(session: LockedSession, directory: StackDirectory, settings: Settings) -> None:
    """Prune after work that is done already: what stands in the way is told, and the work counts all the same."""
    try:
        prune_droplet(session, directory, settings)
    except (SlipwayError, OutsideError) as error:
        get_logger("slipway.hooks").warning("nothing was pruned: %s", error)


@task(name="plan prune", task_run_name="find what {directory.stack} no longer needs", timeout_seconds=120, **RETRIED)
def plan_prune(session: RemoteShell, directory: StackDirectory, keep: int) -> Removal:
    """Look at the droplet, decide what may go, and show it as an artifact. Nothing is changed.

    Args:
        keep: how many good releases stay.

    Raises:
        BadRetention, ForeignRecord, NewerRecord
        RemoteFailed: the engine does not answer.
    """
    check_retention(keep)
    inventory, history = read_inventory(session.run(inventory_script(directory), timeout=QUICK).out, directory.stack)
    removal = plan_removal(inventory, history, keep)
    droplet, log = session.address.name, get_run_logger()
    table(f"prune-{droplet}", removal.rows(), f"What {directory.stack} no longer needs on {droplet}: {removal}")
    for warning in removal.warnings:
        log.warning("%s: %s", droplet, warning)
    if removal.goes:
        log.info("%s no longer needs %s on %s", directory.stack, removal, droplet)
    else:
        log.info("%s needs all that it has on %s", directory.stack, droplet)
    return removal


@task(name="remove what is not needed", task_run_name="remove {removal}", **ONCE)
def remove_listed(session: LockedSession, directory: StackDirectory, removal: Removal, settings: Settings) -> Removal:
    """Remove what was listed. What the engine refuses stays, is logged, and stops nothing else."""
    log = get_run_logger()
    answer = session.run(
        removal_script(directory, removal),
        timeout=settings.start_timeout,
        on_line=lambda line: log.info("%s", line, extra={RAW: True}),
    )
    done = removal.without(read_refusals(answer.out, removal))
    for item in done.left[: len(removal.goes) - len(done.goes)]:
        log.warning("%s %s stays: %s", item.kind.value, item.name, item.reason)
    return done
