"""Reads releases from the registry. A tag is resolved once; from then on a release goes by its digest."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from blocks import ContainerRegistry
from blocks.errors import NotInRegistry
from flows.core.errors import BadRelease, BadTag, ReleaseNotFound, ReleaseReplayed
from flows.core.registry.layout import release_tag
from flows.core.registry.references import is_digest, slug, split_host, split_reference
from flows.core.release import bundle
from flows.core.release.release import Release, read_release, refuse_misplaced
from flows.core.trust.policy import Proof
from flows.core.trust.signatures import PUBLISHED
from flows.settings import Settings
from flows.tasks.release.files.published_files import PublishedFiles
from flows.tasks.runs.blocks import layout
from flows.tasks.runs.declaration import task
from flows.tasks.runs.retries import RETRIED
from flows.tasks.trust.verification import verify_release

LATEST = "latest"
BEFORE = "dev.slipway.previous"
_AT_ONCE = 8


@dataclass(frozen=True)
class FetchedRelease:
    """A release as the registry has it: its document, its files, the digest of the image that holds both, and what its
    signatures proved. Nothing is put on a droplet without that.
    """

    release: Release
    files: PublishedFiles
    digest: str
    proof: Proof


@dataclass(frozen=True)
class PublishedRelease:
    """What stands in the registry where a release belongs; nothing is proved of it yet."""

    release: Release
    files: PublishedFiles
    digest: str
    reference: str


def fetch_release(
    stack: str,
    tag: str,
    registry: ContainerRegistry,
    settings: Settings,
    *,
    droplets: Sequence[str],
    digest: str | None = None,
) -> FetchedRelease:
    """Read a release from the registry, and verify it: it is fetched before anything is changed.

    Args:
        droplets: the Droplet blocks that it goes to, whose policy counts.
        digest: of the release's own image, where it is known: what its tag means now is not asked then.

    Raises:
        ReleaseNotFound, BadRelease, BadTag
        NotVerified: it is not what we signed.
    """
    found = read_published(stack, tag, registry, digest)
    proof = verify_release(found.release, found.reference, registry, settings, droplets)
    return FetchedRelease(found.release, found.files, found.digest, replace(proof, named=digest is not None))


@task(name="fetch release", task_run_name="fetch the release {tag} of {stack}", timeout_seconds=120, **RETRIED)
def read_published(stack: str, tag: str, registry: ContainerRegistry, digest: str | None = None) -> PublishedRelease:
    """Read a release from the registry; the mounted files that it brings are read when they are asked for.

    Raises:
        ReleaseNotFound: nothing of that tag, or of that digest, is there.
        BadRelease: the registry has something else under that name.
        BadTag: the digest is none.
    """
    if digest and not is_digest(digest):
        raise BadTag(f"'{digest[:100]}' is no digest of a release: 'sha256:' and 64 hexadecimal digits")
    fetched = _fetch(stack, tag, registry, digest)
    found = fetched.release
    if (found.stack, found.tag) != (stack, tag):
        raise BadRelease(
            f"registry {registry.host} has release {found.tag} of stack {found.stack} where release {tag} of {stack} "
            "belongs: somebody else wrote it there. Nothing was changed. Find out who may push there, and publish it "
            f"again: slipway build-push --tag {tag}"
        )
    return fetched


def fetch_named(name: str, tag: str, registry: ContainerRegistry) -> Release:
    """The release of a stack that is known by the name of its repository alone.

    Raises:
        ReleaseNotFound, BadRelease
    """
    found = _fetch(name, tag, registry, None).release
    if (slug(found.stack), found.tag) != (name, tag):
        raise BadRelease(
            f"registry {registry.host} has release {found.tag} of stack {found.stack} where release {tag} of {name} "
            "belongs. What it needs of the registry is not known, so nothing was removed. Publish that release again, "
            "or remove its tag in the control panel"
        )
    return found


@task(name="find newest release", task_run_name="find the newest release of {stack}", timeout_seconds=60, **RETRIED)
def latest_release(stack: str, registry: ContainerRegistry) -> Release | None:
    """The release of this stack that was published last, or None."""
    repository, _ = split_reference(layout(registry).release_reference(stack, LATEST))
    try:
        found = _read(split_host(repository)[1], newest_tag(registry, stack), registry).release
    except (NotInRegistry, BadRelease):
        return None
    return found if found.stack == stack else None


def newest_verified(stack: str, tag: str, registry: ContainerRegistry, settings: Settings) -> Release:
    """The newest release, verified: for images that are kept of it. One that only poses as the newest is refused.

    Args:
        tag: its tag, as the tag `latest` says it.

    Raises:
        ReleaseReplayed: the registry has a newer one.
        NotVerified, ReleaseNotFound, BadRelease
    """
    fetched = fetch_release(stack, tag, registry, settings, droplets=())
    if fetched.proof.verified is None:
        return fetched.release
    repository, _ = split_reference(layout(registry).release_reference(stack, LATEST))
    path = split_host(repository)[1]
    with registry.client() as client, ThreadPoolExecutor(_AT_ONCE) as pool:
        ours = [name for name in client.tags(path) if release_tag(name, stack, layout(registry)) not in (None, LATEST)]
        said = pool.map(lambda name: client.manifest(path, name).content.get("annotations") or {}, ours)
        newest, its = max(((str(one.get(PUBLISHED, "")), name) for one, name in zip(said, ours, strict=True)))
    if newest > fetched.proof.verified.published:
        raise ReleaseReplayed(
            f"the tag `latest` of {stack} in registry {registry.host} means release {tag}, and {its} was published "
            f"later, at {newest}: somebody led it back to an older release, whose images would be kept. Nothing was "
            "changed. Build all services: leave --services out"
        )
    return fetched.release


def tag_before(stack: str, tag: str, previous: Release | None, registry: ContainerRegistry) -> str | None:
    """The newest tag before this one; a tag that is published again goes on with the one it had."""
    if previous is None or previous.tag != tag:
        return previous.tag if previous else None
    repository, _ = split_reference(layout(registry).release_reference(stack, LATEST))
    with registry.client() as client:
        manifest = client.manifest(split_host(repository)[1], newest_tag(registry, stack)).content
    found = (manifest.get("annotations") or {}).get(BEFORE)
    return str(found) if found else None


def newest_tag(registry: ContainerRegistry, stack: str) -> str:
    """The tag that always means the release published last."""
    return split_reference(layout(registry).release_reference(stack, LATEST))[1]


def _fetch(stack: str, tag: str, registry: ContainerRegistry, digest: str | None) -> PublishedRelease:
    repository, name = split_reference(layout(registry).release_reference(stack, tag))
    try:
        return _read(split_host(repository)[1], digest or name, registry)
    except NotInRegistry:
        if digest:
            raise ReleaseNotFound(
                f"registry {registry.host} does not have the release {tag} of stack {stack} any more that was meant "
                f"({digest[:19]}). Nothing was changed. Publish it again: slipway build-push --tag {tag}"
            ) from None
        raise ReleaseNotFound(
            f"no release {tag} of stack {stack} in registry {registry.host}. "
            f"Build and push it first: slipway build-push --tag {tag}"
        ) from None


def _read(path: str, reference: str, registry: ContainerRegistry) -> PublishedRelease:
    with registry.client() as client:
        manifest = client.manifest(path, reference)
        layers = _layers(manifest.content)
        own = bundle.unpack(client.blob(path, layers[0][0])) if layers else {}
    if bundle.DOCUMENT not in own:
        raise BadRelease(f"{path}:{reference} in registry {registry.host} holds no release document. Publish it again")
    release = read_release(own[bundle.DOCUMENT].content)
    files = PublishedFiles(own, tuple(layers[1:]), path, registry)
    refuse_misplaced(release, files.tree)
    return PublishedRelease(release, files, manifest.digest, f"{registry.host}/{path}@{manifest.digest}")


def _layers(manifest: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Digest and size of each of an image's layers; none where it is no image that we could have published."""
    try:
        found = [(str(layer["digest"]), int(layer["size"])) for layer in manifest["layers"]]
    except (KeyError, TypeError, ValueError):
        return []
    return found if all(is_digest(digest) and size >= 0 for digest, size in found) else []
