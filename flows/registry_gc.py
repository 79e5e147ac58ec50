"""registry_gc: remove from DigitalOcean's registry what nothing needs, and collect the garbage."""

import time

from prefect.logging import get_run_logger

from blocks import DocrRegistry
from blocks.digitalocean.waiting import wait_for
from flows.core.errors import CollectionFailed
from flows.core.registry.cleanup import CleanupPlan, CleanupResult, plan_collection
from flows.settings import Settings
from flows.tasks.registry.contents import (
    list_registry,
    load_docr,
    manifest_links,
    newest_releases,
    published_tags,
    refuse_changed,
    releases_on_droplets,
    tag_untagged,
)
from flows.tasks.registry.exclusive_access import exclusive_registry_access
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import block_cache
from flows.tasks.runs.declaration import flow
from flows.tasks.stack.run_names import run_name


@flow(name="registry-gc", flow_run_name=run_name("collect the registry's garbage"))
def registry_gc(dry_run: bool = False, without: list[str] | None = None, wait: float = 0.0) -> CleanupResult:
    """Remove manifests that have no tag and that no kept release needs, with their signatures; then have DigitalOcean
    collect what nothing refers to any more. The registry is read-only meanwhile, and no release may be under way.

    A release is kept while it stands on any droplet, and while it is among the newest published.

    Args:
        dry_run: show the plan, and change nothing.
        without: names of Droplet blocks whose droplets are gone for good.
        wait: seconds to wait while another run changes a droplet.

    Raises:
        ReleaseUnderWay, DropletBusy, NotDocr: nothing was changed.
    """
    began, settings, log = time.monotonic(), Settings(), get_run_logger()
    gone = tuple(without or ())
    with block_cache():
        registry = load_docr(settings)
        with exclusive_registry_access(settings, gone, "collecting the registry's garbage", wait) as places:
            stored = list_registry(registry)
            kept = releases_on_droplets(places, registry, stored)
            kept += newest_releases(published_tags(stored, registry), settings.registry_releases, registry, stored)
            sweep = plan_collection(stored, kept, manifest_links(stored, kept, registry))
            publish_cleanup(sweep, registry)
            if dry_run:
                return CleanupResult(registry.registry_name, sweep, True, 0, 0, 0.0, time.monotonic() - began)
            refuse_changed(stored, registry, settings)
            tag_untagged(sweep.untagged, registry)
            with registry.account.client() as client:
                for fate in sweep.goes:
                    client.registries.remove_manifest(registry.registry_name, fate.repository, fate.digest)
                read_only = time.monotonic()
                collection = client.registries.collect(registry.registry_name)
                ended = wait_for(
                    f"garbage collection of {registry.registry_name}",
                    lambda: client.registries.collected(registry.registry_name, collection.uuid),
                    lambda found: found is not None and found.ended,
                    settings.collection_timeout,
                    tell=log.info,
                    state=lambda found: found.status if found else "not to be seen",
                )
                read_only = time.monotonic() - read_only
    if ended is None or ended.status != "succeeded":
        raise CollectionFailed(
            f"the garbage collection {collection.uuid} of {registry.registry_name} ended "
            f"{ended.status if ended else 'unseen'}. What was unneeded is removed, its space is not free yet. Run it "
            "again: slipway registry gc"
        )
    log.info("✓ %d blobs, %.1f MB are free; read-only for %.0f s", ended.blobs_deleted, ended.freed / 1e6, read_only)
    return CleanupResult(
        registry.registry_name, sweep, False, ended.blobs_deleted, ended.freed, read_only, time.monotonic() - began
    )


def publish_cleanup(sweep: CleanupPlan, registry: DocrRegistry) -> None:
    """The plan as a table in the UI, and in a sentence."""
    goes, stays = len(sweep.goes), len(sweep.fates) - len(sweep.goes)
    words = f"{goes} of {registry.registry_name}'s tags and manifests go, {stays} stay"
    table(f"registry-{registry.registry_name}", sweep.rows(), words)
    get_run_logger().info("%s", words)
