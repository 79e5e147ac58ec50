"""snapshot: an image of a droplet at DigitalOcean, named by its release; the newest few are kept."""

import time

from prefect.logging import get_run_logger

from blocks.errors import OutsideError
from flows.core.cloud.costs import cost_lines, snapshot_cost
from flows.core.cloud.results import SnapshotResult
from flows.core.cloud.snapshots import snapshot_name, snapshots_beyond
from flows.core.errors import SlipwayError
from flows.core.records.retention import check_retention
from flows.settings import Settings
from flows.tasks.cloud.droplets import known_snapshots, take_snapshot, utc, warn_elsewhere
from flows.tasks.droplet.target import Target
from flows.tasks.records.history import load_history
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import block_cache, load_account, load_droplet
from flows.tasks.runs.declaration import flow
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name


@flow(name="snapshot", flow_run_name=run_name("snapshot of {droplet}"))
def snapshot(
    droplet: str | None = None,
    stack: str | None = None,
    power_off: bool = False,
    keep: int | None = None,
    dry_run: bool = False,
    at_digitalocean: str | None = None,
    tags: list[str] | None = None,
) -> SnapshotResult:
    """Take a snapshot of a droplet, and remove those of ours of it that are older than the newest few.

    Args:
        droplet: name of the Droplet block; default: the setting `droplet`.
        stack: the stack's name, or its compose file, for the snapshot's name; default: the setting `stack`.
        power_off: shut it down meanwhile, so that nothing is half written. It does not serve then.
        keep: how many of ours stay; default: the setting `snapshots`.
        dry_run: say what it would be called and cost, and what would go.
        at_digitalocean: the droplet's name there; default: the block's.
        tags: what else it is tagged with.

    Raises:
        NotAtDigitalOcean, ApiFailed: no droplet of the name, or several. ActionFailed, ActionUnfinished
    """
    began, settings, log = time.monotonic(), Settings(), get_run_logger()
    kept = check_retention(settings.snapshots if keep is None else keep)
    with block_cache():
        block, whole = load_droplet(droplet or settings.deployed_to), stack_name(stack or settings.stack)
        target = Target.of(block, settings.name_on(block.name, whole), settings)
        name = snapshot_name(whole, _tag(target), utc())
        with load_account(settings).client() as client:
            info = client.droplets.named(at_digitalocean or block.block)
            warn_elsewhere(info, block)
            cost = snapshot_cost(info.disk)
            log.info("%s is going to be taken. %s", name, cost_lines([cost]))
            made = None if dry_run else take_snapshot(client, info, name, power_off, tags or ())
            old = snapshots_beyond(known_snapshots(client.snapshots.all()), info.id, kept - (1 if dry_run else 0))
            for one in () if dry_run else old:
                client.snapshots.remove(one.id, one.name)
    rows: list[dict[str, object]] = [{"": "goes", "name": t.name, "GB": f"{t.size:.1f}", "from": t.at} for t in old]
    rows += [{"": "new", "name": made.name, "GB": f"{made.size:.1f}", "from": made.at}] if made else []
    table(f"snapshots-{target.name}", rows, f"Snapshots of {target.name}: {name}")
    if made:
        cost = snapshot_cost(made.size, at_most=False)
    return SnapshotResult(target.name, name, made, cost, tuple(old), time.monotonic() - began)


def _tag(target: Target) -> str:
    """The release that runs there, for the snapshot's name; a droplet that cannot be asked is snapshot all the same."""
    try:
        with target.connected() as session:
            record = load_history(session, target.directory).deployed()
    except (OutsideError, SlipwayError) as error:
        get_run_logger().warning("which release runs on %s is not known: %s", target.name, error)
        return "unknown"
    return record.tag if record else "none"
