"""registry_retention: remove the tags of old releases from DigitalOcean's registry."""

import time

from flows.core.records.retention import check_retention
from flows.core.registry.cleanup import CleanupResult, old_tags, plan_retention, tags_as_stored
from flows.registry_gc import publish_cleanup
from flows.settings import Settings
from flows.tasks.registry.contents import (
    list_registry,
    load_docr,
    newest_releases,
    published_tags,
    refuse_changed,
    releases_on_droplets,
)
from flows.tasks.registry.exclusive_access import exclusive_registry_access
from flows.tasks.runs.blocks import block_cache
from flows.tasks.runs.declaration import flow
from flows.tasks.stack.run_names import run_name


@flow(name="registry-retention", flow_run_name=run_name("remove old releases from the registry"))
def registry_retention(
    keep: int | None = None, dry_run: bool = False, without: list[str] | None = None, wait: float = 0.0
) -> CleanupResult:
    """Remove the tags of releases that are neither among the newest of their stack nor on any droplet. What only such
    a tag kept goes with the next collection (registry-gc).

    Args:
        keep: how many of the newest releases of each stack stay; default: the setting `registry_releases`.
        dry_run: show the plan, and change nothing.
        without: names of Droplet blocks whose droplets are gone for good.
        wait: seconds to wait while another run changes a droplet.

    Raises:
        BadRetention, ReleaseUnderWay, DropletBusy, NotDocr: nothing was changed.
    """
    began, settings = time.monotonic(), Settings()
    kept_releases = check_retention(settings.registry_releases if keep is None else keep)
    gone = tuple(without or ())
    with block_cache():
        registry = load_docr(settings)
        with exclusive_registry_access(settings, gone, "removing old releases from the registry", wait) as places:
            stored = list_registry(registry)
            held = releases_on_droplets(places, registry, stored)
            releases = published_tags(stored, registry)
            kept = held + newest_releases(releases, kept_releases, registry, stored)
            old = old_tags(releases, kept_releases, held)
            sweep = plan_retention(
                stored, kept, tags_as_stored(old, stored, kept) if registry.single_repository else old
            )
            publish_cleanup(sweep, registry)
            if not dry_run:
                refuse_changed(stored, registry, settings)
                with registry.account.client() as client:
                    for fate in sweep.goes:
                        client.registries.remove_tag(registry.registry_name, fate.repository, fate.tag)
    return CleanupResult(registry.registry_name, sweep, dry_run, 0, 0, 0.0, time.monotonic() - began)
