"""prune: remove from a droplet what no kept release needs."""

import time

from flows.core.prune.removal import Pruned
from flows.core.records.retention import check_retention
from flows.tasks.droplet.target import Target
from flows.tasks.prune.build_host import prune_build_host
from flows.tasks.prune.droplet import plan_prune, prune_droplet
from flows.tasks.prune.reports import prune_reports
from flows.tasks.runs.declaration import flow
from flows.tasks.stack.run_names import run_name


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
    Of the reports on this host, old debug bundles and metadata of releases go (`keep_reports`, `keep_reports_days`).

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
    target = Target.resolve(stack=stack, droplet=droplet)
    settings = target.settings
    kept = check_retention(settings.retention if keep is None else keep)
    if dry_run:
        with target.connected() as session:
            removal = plan_prune(session, target.directory, kept)
    else:
        with target.locked(f"pruning {target.stack}", wait) as lock:
            removal = prune_droplet(lock, target.directory, settings, kept)
    freed = prune_build_host(target.stack, settings, dry_run) if build_host else ()
    reports = prune_reports(settings, dry_run)
    return Pruned(target.name, target.stack, removal, dry_run, freed, time.monotonic() - began, reports)
