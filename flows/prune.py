"""prune: remove from a droplet what no kept release needs."""

import time

from prefect import flow

from flows.core.droplet.directories import StackDirectory
from flows.core.prune.removal import Pruned
from flows.core.records.retention import check_retention
from flows.settings import Settings
from flows.tasks.droplet.connection import connected
from flows.tasks.droplet.lock import locked
from flows.tasks.prune.build_host import prune_build_host
from flows.tasks.prune.droplet import plan_prune, prune_droplet
from flows.tasks.runs.blocks import load_droplet
from flows.tasks.stack.run_names import run_name
from flows.tasks.stack.source import stack_name


@flow(name="prune", flow_run_name=run_name("prune {stack} on {droplet}"))
def prune(
    stack: str | None = None,
    droplet: str | None = None,
    dry_run: bool = False,
    build_host: bool = False,
    keep: int | None = None,
    wait: float = 0.0,
) -> Pruned:
    """Remove from a droplet what no kept release of a stack needs: never a volume, nothing without the stack's label.

    The newest good releases, the running one and the candidate are kept. What goes is listed first, as an artifact.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        droplet: name of the Droplet block; default: the setting `droplet`.
        dry_run: list what would go, and change nothing; needs no lock.
        build_host: tidy the build host too: dangling images of the stack, builder cache beyond `builder_cache`.
        keep: how many good releases stay; default: the setting `retention`.
        wait: seconds to wait while another run changes the droplet.

    Raises:
        BadRetention: fewer than one release was to be kept.
        ForeignRecord, NewerRecord: the droplet's records are not ours to go on with.
    """
    began = time.monotonic()
    settings = Settings()
    kept = check_retention(settings.retention if keep is None else keep)
    name = stack_name(stack or settings.stack)
    target = load_droplet(droplet or settings.droplet)
    directory = StackDirectory(target.directory, name)
    with connected(target) as session:
        if dry_run:
            removal = plan_prune(session, directory, kept)
        else:
            with locked(session, target.directory, f"pruning {name}", wait) as lock:
                removal = prune_droplet(lock, directory, settings, kept)
    said = prune_build_host(name, settings, dry_run) if build_host else ()
    return Pruned(target.name, name, removal, dry_run, said, time.monotonic() - began)
