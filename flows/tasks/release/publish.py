"""Publishes a release: pins its images, and puts its own files into the registry beside them."""

import gzip
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from prefect import task
from prefect.logging import get_run_logger

from blocks import ContainerRegistry
from blocks.errors import NotInRegistry
from blocks.registry.client import RegistryClient
from flows.core.errors import BadRelease, BrokenStack, ReleaseNotFound, UnknownService
from flows.core.registry.references import split_host, split_reference
from flows.core.release import bundle
from flows.core.release.image_plan import ImagePlan
from flows.core.release.release import Image, Layer, Release, content_hash, read_release
from flows.core.release.role import cross_role_dependencies, home_services, home_volumes
from flows.core.stack.state import undeclared_state
from flows.settings import Settings
from flows.tasks.release.write_access import registry_writes
from flows.tasks.runs.blocks import layout
from flows.tasks.runs.retries import RETRIED
from flows.tasks.stack.source import Source

LARGEST = 64 * 1024 * 1024
LATEST = "latest"
BEFORE = "dev.slipway.previous"


@task(name="publish release", task_run_name="publish the release {tag}", **RETRIED)
def publish_release(
    source: Source,
    plan: ImagePlan,
    tag: str,
    built: Mapping[str, str],
    external: Mapping[str, str],
    previous: Release | None,
    before: str | None,
    registry: ContainerRegistry,
    settings: Settings,
) -> Release:
    """Put the release's document, pinned compose override and files into the registry, and return it.

    Args:
        previous: the release published last; what it says of an image need not be asked again.
        before: the tag that was the newest before this one.

    Raises:
        BrokenStack: a file it refers to is missing or too large.
    """
    pinned = {ref: f"{split_reference(ref)[0]}@{digest}" for ref, digest in built.items()} | dict(external)
    services = {name: pinned[reference] for name, reference in plan.services.items()}
    sources = source.sources
    with registry_writes(registry, settings), registry.client() as client, ThreadPoolExecutor(8) as pool:
        references = sorted(set(services.values()))
        known = previous.images if previous else {}
        described = pool.map(
            lambda ref: known[ref] if ref in known else _describe(client, ref, ref not in external.values()), references
        )
        release = Release(
            stack=source.stack.name,
            tag=tag,
            commit=source.commit,
            compose_files=tuple(sources.relative(path) for path in source.given),
            profiles=settings.profiles,
            services=services,
            images=dict(zip(references, described, strict=True)),
            registry=registry.host,
            environment_files=sources.needed,
            secret_readers={
                service: tuple(sources.relative(path) for path in paths)
                for service, paths in sources.secret_readers.items()
            },
            state=tuple(sources.relative(path) for path in sources.state),
            host_paths=sources.host_paths,
            home=home_services(source.stack),
            unsaid=undeclared_state(source.stack),
            waits=cross_role_dependencies(source.stack),
            volumes=home_volumes(source.stack, source.config.get("volumes")),
            compose_needs=source.compose_needs,
        )
        packed = bundle.pack(_bundle_files(release, source))
        repository, name = split_reference(layout(registry).release_reference(release.stack, tag))
        path = split_host(repository)[1]
        _warn_if_replaced(client, path, name, packed)
        diff_id = f"sha256:{hashlib.sha256(gzip.decompress(packed)).hexdigest()}"
        labels = {"dev.slipway.release": tag, "dev.slipway.stack": release.stack}
        labels |= {BEFORE: before} if before else {}
        client.push_files(path, name, packed, diff_id, labels)
        client.tag(path, client.manifest(path, name), _newest(registry, release.stack))
    return release


@task(name="fetch release", task_run_name="fetch the release {tag} of {stack}", timeout_seconds=120, **RETRIED)
def fetch_release(stack: str, tag: str, registry: ContainerRegistry) -> tuple[Release, dict[str, bundle.File]]:
    """Read a release and its files from the registry.

    Raises:
        ReleaseNotFound: nothing of that tag was published.
    """
    repository, name = split_reference(layout(registry).release_reference(stack, tag))
    try:
        return _read_published(split_host(repository)[1], name, registry)
    except NotInRegistry:
        raise ReleaseNotFound(
            f"no release {tag} of stack {stack} in registry {registry.host}. "
            f"Build and push it first: slipway build-push --tag {tag}"
        ) from None


@task(name="find newest release", task_run_name="find the newest release of {stack}", timeout_seconds=60, **RETRIED)
def latest_release(stack: str, registry: ContainerRegistry) -> Release | None:
    """The release of this stack that was published last, or None."""
    repository, _ = split_reference(layout(registry).release_reference(stack, LATEST))
    try:
        return _read_published(split_host(repository)[1], _newest(registry, stack), registry)[0]
    except (NotInRegistry, BadRelease):
        return None


def tag_before(stack: str, tag: str, previous: Release | None, registry: ContainerRegistry) -> str | None:
    """The newest tag before this one; a tag that is published again goes on with the one it had."""
    if previous is None or previous.tag != tag:
        return previous.tag if previous else None
    repository, _ = split_reference(layout(registry).release_reference(stack, LATEST))
    with registry.client() as client:
        manifest = client.manifest(split_host(repository)[1], _newest(registry, stack)).content
    found = (manifest.get("annotations") or {}).get(BEFORE)
    return str(found) if found else None


@task(name="keep images", task_run_name="keep the images that are not built", timeout_seconds=120, **RETRIED)
def reuse_images(
    plan: ImagePlan, wanted: Sequence[str], previous: Release | None, registry: ContainerRegistry
) -> dict[str, str]:
    """Take the images of services that are not built this time from the newest release: reference → digest.

    Raises:
        UnknownService: nothing was published yet that they could be taken from.
    """
    building = {plan.services[name] for name in wanted}
    kept: dict[str, str] = {}
    with registry.client() as client:
        for reference, maker in plan.built.items():
            if reference in building:
                continue
            if previous is None or maker not in previous.services:
                raise UnknownService(
                    f"{maker} was never published, so its image cannot be kept. Leave --services out, or name it too"
                )
            repository, digest = split_reference(previous.services[maker])
            path = split_host(repository)[1]
            client.tag(path, client.manifest(path, digest), split_reference(reference)[1])
            kept[reference] = digest
    return kept


def _newest(registry: ContainerRegistry, stack: str) -> str:
    """The tag that always means the release published last."""
    return split_reference(layout(registry).release_reference(stack, LATEST))[1]


def _read_published(path: str, tag: str, registry: ContainerRegistry) -> tuple[Release, dict[str, bundle.File]]:
    with registry.client() as client:
        manifest = client.manifest(path, tag)
        files = bundle.unpack(client.blob(path, manifest.content["layers"][0]["digest"]))
    if bundle.DOCUMENT not in files:
        raise BadRelease(f"{path}:{tag} in registry {registry.host} holds no release document. Publish it again")
    return read_release(files[bundle.DOCUMENT].content), files


def _bundle_files(release: Release, source: Source) -> dict[str, bundle.File]:
    sources = source.sources
    files = {f"{bundle.FILES}/{sources.relative(p)}": bundle.File(text.encode()) for p, text in source.texts.items()}
    for shipped in sources.shipped:
        files |= _read(shipped, f"{bundle.FILES}/{sources.relative(shipped)}")
    for state in sources.state:
        if Path(state).is_file():
            files |= _read(state, f"{bundle.SEED}/{sources.relative(state)}")
    labels = {}
    for service, read in sources.readers.items():
        below = tuple(f"{bundle.FILES}/{sources.relative(path)}" for path in read)
        mine = {n: f.content for n, f in files.items() if any(n == b or n.startswith(f"{b}/") for b in below)}
        if mine:
            labels[service] = content_hash(mine)
    files[bundle.OVERRIDE] = bundle.File(release.override(labels))
    files[bundle.DOCUMENT] = bundle.File(release.document())
    if sum(len(file.content) for file in files.values()) > LARGEST:
        raise BrokenStack(
            f"the files this stack mounts come to more than {LARGEST // 2**20} MB. "
            "Put large data into an image or a volume"
        )
    return files


def _read(path: str, name: str) -> dict[str, bundle.File]:
    if os.path.isfile(path):
        mode = 0o755 if os.access(path, os.X_OK) else 0o644
        return {name: bundle.File(Path(path).read_bytes(), mode)}
    files: dict[str, bundle.File] = {}
    for entry in sorted(Path(path).rglob("*")):
        if entry.is_file() and ".git" not in entry.parts:
            files |= _read(str(entry), f"{name}/{entry.relative_to(path).as_posix()}")
    return files


def _describe(client: RegistryClient, reference: str, built: bool) -> Image:
    """Platforms and layers of an image; nothing for one in a registry that is not ours to ask."""
    repository, digest = split_reference(reference)
    host, path = split_host(repository)
    if host != client.host:
        return Image(built=built)
    manifest = client.manifest(path, digest).content
    if "manifests" in manifest:
        entries = [entry for entry in manifest["manifests"] if entry.get("platform", {}).get("os") != "unknown"]
        platforms = tuple(_platform(entry["platform"]) for entry in entries if entry.get("platform"))
        manifest = client.manifest(path, entries[0]["digest"]).content if entries else manifest
    else:
        platforms = (_platform(json.loads(client.blob(path, manifest["config"]["digest"]))),)
    layers = tuple(Layer(digest=layer["digest"], size=layer["size"]) for layer in manifest.get("layers", ()))
    return Image(platforms=platforms, layers=layers, built=built)


def _platform(spec: Mapping[str, str]) -> str:
    return "/".join(part for part in (spec.get("os", "linux"), spec.get("architecture"), spec.get("variant")) if part)


def _warn_if_replaced(client: RegistryClient, path: str, tag: str, packed: bytes) -> None:
    try:
        before = client.manifest(path, tag).content["layers"][0]["digest"]
    except NotInRegistry:
        return
    if before != f"sha256:{hashlib.sha256(packed).hexdigest()}":
        get_run_logger().warning(
            "the tag %s was published before with other content; it now means this build. "
            "Droplets that run the old one keep running it, by digest",
            tag,
        )
