"""The registry's side of retention and collection: what it holds, what droplets and the newest releases need of it."""

import base64
import shlex
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from prefect.logging import get_run_logger

from blocks import DocrRegistry
from blocks.errors import NotInRegistry
from blocks.registry.client import RegistryClient
from blocks.ssh.session import Session
from flows.core.answers import reads
from flows.core.errors import NotDocr, ReleaseUnderWay
from flows.core.registry.cleanup import (
    LATEST,
    ManifestId,
    ManifestLinks,
    NeededRelease,
    RegistryManifest,
)
from flows.core.registry.layout import RELEASE
from flows.core.registry.references import is_signature_tag, slug, split_host, split_reference
from flows.core.release.release import Release, read_release
from flows.core.release.role import whole_stack
from flows.settings import Settings
from flows.tasks.droplet.connection import QUICK
from flows.tasks.registry.exclusive_access import refuse_while_pushing
from flows.tasks.release.fetch import fetch_named
from flows.tasks.runs.blocks import layout, load_registry
from flows.tasks.runs.declaration import task
from flows.tasks.runs.retries import RETRIED

AT_ONCE = 4
# Every release document on the droplet, of every stack, one a line. One that cannot be read may need anything.
_DOCUMENTS = """for f in {0}/*/releases/*/release.json; do
  [ -e "$f" ] || continue
  base64 -w 0 "$f" && echo || exit 1
done"""


def load_docr(settings: Settings) -> DocrRegistry:
    """The registry, which must be DigitalOcean's. Raises NotDocr."""
    registry = load_registry(settings)
    if not isinstance(registry, DocrRegistry):
        raise NotDocr(
            f"the registry block {settings.registry} is not one of DigitalOcean's: what it holds can only be tidied "
            "with its own tools. Save DigitalOcean's: slipway registry set-docr --registry NAME"
        )
    return registry


@task(name="list registry", task_run_name="list what {registry.registry_name} holds", timeout_seconds=1800, **RETRIED)
def list_registry(registry: DocrRegistry) -> list[RegistryManifest]:
    """Every manifest of every repository, with its tags."""
    name = registry.registry_name
    with registry.account.client() as client, ThreadPoolExecutor(AT_ONCE) as pool:
        repositories = [repository.name for repository in client.registries.repositories(name)]
        found = pool.map(lambda repository: client.registries.manifests(name, repository), repositories)
        return [RegistryManifest(m.repository, m.digest, tuple(sorted(m.tags)), m.size) for each in found for m in each]


def refuse_changed(stored: Sequence[RegistryManifest], registry: DocrRegistry, settings: Settings) -> None:
    """Look again, right before anything is removed: what was pushed since may use what had no tag when we looked.

    Raises:
        ReleaseUnderWay
    """
    refuse_while_pushing(settings)
    if set(list_registry(registry)) != set(stored):
        raise ReleaseUnderWay(
            f"what {registry.registry_name} holds changed while it was read. Nothing was removed. Run the same command "
            "again when nobody pushes"
        )


@task(name="find kept releases", timeout_seconds=600, **RETRIED)
def releases_on_droplets(
    places: Sequence[tuple[Session, str]], registry: DocrRegistry, stored: Sequence[RegistryManifest]
) -> list[NeededRelease]:
    """Every release that stands on a droplet, of whatever stack: each runs, or may be rolled back to.

    Args:
        places: each droplet's session, and the directory of its releases.

    Raises:
        BadRelease, RemoteFailed: a release cannot be read; it may need anything.
    """
    found = []
    for session, directory in places:
        said = session.run(_DOCUMENTS.format(shlex.quote(directory)), timeout=QUICK).out
        for line in said.split():
            release = read_release(base64.b64decode(line))
            found += _kept(release, f"on droplet {session.address.name}", registry, stored)
    return found


def published_tags(stored: Sequence[RegistryManifest], registry: DocrRegistry) -> dict[str, list[tuple[str, str]]]:
    """Stack → (tag, when) of the releases that the registry holds, as its tags say.

    Of two that were published within one second, the one that `latest` means comes first: there is nothing finer.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    digests: dict[tuple[str, str], str] = {}
    marks = {one.repository for one in stored if one.repository.endswith(f"-{RELEASE}")}
    if registry.single_repository:
        marks = {registry.single_repository}
    with registry.account.client() as client:
        for repository in sorted(marks):
            for tag in client.registries.tags(registry.registry_name, repository):
                stack, name = _named(repository, tag.tag, bool(registry.single_repository))
                if is_signature_tag(tag.tag):
                    continue
                if stack:
                    digests[stack, name] = tag.digest
                if stack and name != LATEST:
                    found.setdefault(stack, []).append((name, tag.updated_at))
    for stack, releases in found.items():
        releases.sort(key=lambda release: digests[stack, release[0]] != digests.get((stack, LATEST)))
    return found


def newest_releases(
    published: dict[str, list[tuple[str, str]]], keep: int, registry: DocrRegistry, stored: Sequence[RegistryManifest]
) -> list[NeededRelease]:
    """The newest releases of each stack, as they were published."""
    found = []
    for stack, releases in published.items():
        for tag, _ in sorted(releases, key=lambda r: r[1], reverse=True)[:keep]:
            release = fetch_named(stack, tag, registry)
            found += _kept(release, "among the newest", registry, stored)
    return found


def manifest_links(
    stored: Sequence[RegistryManifest], kept: Sequence[NeededRelease], registry: DocrRegistry
) -> ManifestLinks:
    """What image indexes refer to, and what manifests without a tag are about; asked only where one could go."""
    rooms = {one.repository for one in stored if not one.tags}
    rooms &= {name for release in kept for name in release.repositories}
    asked = [one for one in stored if one.repository in rooms]
    needed = {image for release in kept for image in release.images}
    parts: set[ManifestId] = set()
    about: dict[ManifestId, ManifestId] = {}
    if not asked:
        return ManifestLinks()
    with registry.client(write=False) as client, ThreadPoolExecutor(AT_ONCE) as pool:
        for one, content in pool.map(lambda one: (one, _content(client, registry, one)), asked):
            if one.tags or one.place in needed:
                parts |= {(one.repository, digest) for digest in _parts(content)}
            if subject := _subject(content):
                about[one.place] = (one.repository, subject)
    return ManifestLinks(frozenset(parts), about)


@reads("a manifest in the registry")
def _parts(content: Mapping[str, Any]) -> list[str]:
    return [str(entry["digest"]) for entry in content.get("manifests") or ()]


@reads("a manifest in the registry")
def _subject(content: Mapping[str, Any]) -> str:
    subject = content.get("subject")
    return "" if subject is None else str(subject["digest"])


def _content(client: RegistryClient, registry: DocrRegistry, one: RegistryManifest) -> dict[str, Any]:
    try:
        return client.manifest(f"{registry.registry_name}/{one.repository}", one.digest).content
    except NotInRegistry:
        return {}  # the API told of it, and it is gone


def tag_untagged(untagged: Sequence[RegistryManifest], registry: DocrRegistry) -> None:
    """Give what a kept release needs, and only its digest refers to, a tag: a collection could take it otherwise."""
    if not untagged:
        return
    with registry.client() as client:
        for one in untagged:
            path = f"{registry.registry_name}/{one.repository}"
            client.tag(path, client.manifest(path, one.digest), f"kept-{one.digest[7:19]}")
            get_run_logger().warning("%s@%s had no tag; it is kept-%s now", path, one.digest[:19], one.digest[7:19])


def _kept(
    release: Release, why: str, registry: DocrRegistry, stored: Sequence[RegistryManifest]
) -> list[NeededRelease]:
    """What a release needs of this registry: its images, and its own files.

    On a data home a release has a name that another stack may have, so both are kept: the one it is a part of, too.
    """
    built, taken = set[ManifestId](), set[ManifestId]()
    for reference in {*release.services.values(), *release.images}:
        repository, digest = split_reference(reference)
        host, path = split_host(repository)
        if host == registry.host and path.startswith(f"{registry.registry_name}/"):
            place = (path.removeprefix(f"{registry.registry_name}/"), digest)
            (built if release.images[reference].built else taken).add(place)
    found = list[NeededRelease]()
    for name in dict.fromkeys((whole_stack(release.stack), release.stack)):
        repository, tag = split_reference(layout(registry).release_reference(name, release.tag))
        path = split_host(repository)[1].removeprefix(f"{registry.registry_name}/")
        own = {(path, one.digest) for one in stored if one.repository == path and tag in one.tags}
        published = own | (built if not found else set())
        found.append(NeededRelease(slug(name), release.tag, why, frozenset(own | built | taken), frozenset(published)))
    return found


def _named(repository: str, tag: str, single: bool) -> tuple[str, str]:
    """(stack, release) that a tag of a release's own image means."""
    if not single:
        return repository.removesuffix(f"-{RELEASE}"), tag
    stack, mark, name = tag.partition(f"-{RELEASE}-")
    return (stack, name) if mark else ("", "")
