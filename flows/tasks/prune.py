"""Removes from a droplet, and from the build host, what no kept release needs; what goes is listed first."""

from prefect import task
from prefect.logging import get_logger, get_run_logger

from blocks.errors import OutsideError
from blocks.ssh import Session
from flows.core.compose import prune_builder, prune_dangling
from flows.core.debris import dangling_images, disk_use, read_rows
from flows.core.errors import SlipwayError
from flows.core.inventory import inventory_script, read_inventory
from flows.core.layout import Home
from flows.core.pruning import plan
from flows.core.removal import Removal, read_refusals, removal_script
from flows.core.retention import check_retention
from flows.settings import Settings
from flows.tasks.connection import QUICK
from flows.tasks.host import run
from flows.tasks.lock import Held
from flows.tasks.report import table
from flows.tasks.retrying import ONCE, RAW, RETRIED
from flows.tasks.saved import engine_environment

_BUILD_HOST = 300.0


def prune_droplet(session: Held, home: Home, settings: Settings, keep: int | None = None) -> Removal:
    """List what no kept release of the stack needs, and remove exactly that. The lock must be held.

    Args:
        keep: how many good releases stay; default: the setting `retention`.

    Returns:
        What went; what the engine refused to remove stands among what is left.

    Raises:
        BadRetention, ForeignRecord, NewerRecord: nothing was changed.
    """
    removal = plan_prune(session, home, settings.retention if keep is None else keep)
    return remove_unneeded(session, home, removal, settings) if removal.goes else removal


def prune_willingly(session: Held, home: Home, settings: Settings) -> None:
    """Prune after work that is done already: what stands in the way is told, and the work counts all the same."""
    try:
        prune_droplet(session, home, settings)
    except (SlipwayError, OutsideError) as error:
        get_logger("slipway.hooks").warning("nothing was pruned: %s", error)


@task(name="plan prune", task_run_name="find what {home.stack} no longer needs", timeout_seconds=120, **RETRIED)
def plan_prune(session: Session | Held, home: Home, keep: int) -> Removal:
    """Look at the droplet, decide what may go, and show it as an artifact. Nothing is changed.

    Args:
        keep: how many good releases stay.

    Raises:
        BadRetention, ForeignRecord, NewerRecord
        RemoteFailed: the engine does not answer.
    """
    check_retention(keep)
    inventory, history = read_inventory(session.run(inventory_script(home), timeout=QUICK).out, home.stack)
    removal = plan(inventory, history, keep)
    droplet, log = session.address.name, get_run_logger()
    table(f"prune-{droplet}", removal.rows(), f"What {home.stack} no longer needs on {droplet}: {removal}")
    for warning in removal.warnings:
        log.warning("%s: %s", droplet, warning)
    if removal.goes:
        log.info("%s no longer needs %s on %s", home.stack, removal, droplet)
    else:
        log.info("%s needs all that it has on %s", home.stack, droplet)
    return removal


@task(name="remove what is not needed", task_run_name="remove {removal}", **ONCE)
def remove_unneeded(session: Held, home: Home, removal: Removal, settings: Settings) -> Removal:
    """Remove what was listed. What the engine refuses stays, is logged, and stops nothing else."""
    log = get_run_logger()
    answer = session.run(
        removal_script(home, removal),
        timeout=settings.start_timeout,
        on_line=lambda line: log.info("%s", line, extra={RAW: True}),
    )
    done = removal.without(read_refusals(answer.out, removal))
    for item in done.left[: len(removal.goes) - len(done.goes)]:
        log.warning("%s %s stays: %s", item.kind.value, item.name, item.reason)
    return done


@task(name="prune build host", task_run_name="prune the build host", **ONCE)
def prune_build_host(stack: str, settings: Settings, dry_run: bool = False) -> tuple[str, ...]:
    """Remove dangling images of the stack and builder cache beyond `builder_cache`; nothing tagged, nothing of others.

    Returns:
        What each command said it freed, in words; of a dry run, what would go.
    """
    env, log = engine_environment(settings), get_run_logger()
    images = read_rows(run(dangling_images(stack, settings.docker), env).stdout)
    cache = next(
        (row[1] for row in read_rows(run(disk_use(settings.docker), env).stdout) if row[0] == "Build Cache"), ""
    )
    rows: list[dict[str, object]] = [
        {"": "goes", "kind": "image", "name": row[0], "why": "no tag names it any more", "size": row[-1]}
        for row in images
    ]
    rows.append({
        "": "goes", "kind": "builder cache", "name": "the oldest", "why": f"beyond {settings.builder_cache}",
        "size": f"{cache or 'unknown'} in all",
    })  # fmt: skip
    table(f"prune-build-host-{stack}", rows, f"What {stack} no longer needs on the build host")
    if dry_run:
        return (
            f"{len(images)} dangling images of {stack}",
            f"builder cache beyond {settings.builder_cache} (now {cache})",
        )
    said = free_build_host(stack, settings)
    for words in said:
        log.info("%s", words)
    return said


def free_build_host(stack: str, settings: Settings) -> tuple[str, ...]:
    """What `prune_build_host` removes, without a task; what each command said, in words."""
    env, said = engine_environment(settings), []
    for argv in (prune_dangling(stack, settings.docker), prune_builder(settings.builder_cache, settings.docker)):
        answer = run(argv, env, _BUILD_HOST)
        lines = (answer.stdout if answer.returncode == 0 else answer.stderr).strip().splitlines()
        said.append(f"`{' '.join(argv)}`: {lines[-1] if lines else 'nothing'}")
    return tuple(said)
