"""Publishes a release: pins its images, and puts its own files into the registry beside them."""

import gzip
import hashlib
import io
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from prefect.logging import get_run_logger

from blocks import ContainerRegistry
from blocks.errors import NotInRegistry
from blocks.registry.client import RegistryClient
from flows.core.errors import NotSideBySide, UnknownService, UnreadableFile
from flows.core.registry.references import split_host, split_reference
from flows.core.release import bundle
from flows.core.release.file_labels import files_label
from flows.core.release.image_plan import ImagePlan
from flows.core.release.layers import Layering, in_layers
from flows.core.release.release import Release, SignedAs
from flows.core.release.role import cross_role_dependencies, home_services, home_volumes
from flows.core.release.shipment import Shipment, place_of
from flows.core.release.tree import below, dump_tree
from flows.core.stack.side_by_side.facts import SideBySide, side_by_side
from flows.core.stack.stack import inside
from flows.core.stack.state import undeclared_state
from flows.core.trust.signatures import PUBLISHED
from flows.settings import Settings
from flows.tasks.release.fetch import BEFORE, newest_tag
from flows.tasks.release.files.file_layers import published_layers, push_layers, read_as_listed
from flows.tasks.release.files.walk import WRITTEN, unreadable
from flows.tasks.release.image_facts import describe_image
from flows.tasks.runs.blocks import layout
from flows.tasks.runs.declaration import task
from flows.tasks.runs.registry_writes import registry_writes
from flows.tasks.runs.retries import RETRIED
from flows.tasks.stack.source import Source


@task(name="publish release", task_run_name="publish the release {tag}", **RETRIED)
def publish_release(
    source: Source,
    plan: ImagePlan,
    tag: str,
    built: Mapping[str, str],
    external: Mapping[str, str],
    previous: Release | None,
    before: str | None,
    shipment: Shipment,
    registry: ContainerRegistry,
    settings: Settings,
    signed: Mapping[str, SignedAs],
    published: str,
) -> tuple[Release, str]:
    """Put the release's document, pinned compose override and files into the registry.

    Returns:
        The release, and the digest of the image that holds it.

    Args:
        previous: the release published last; what it says of an image need not be asked again.
        before: the tag that was the newest before this one.
        shipment: the mounted files that it brings.
        signed: `repository@sha256:…` → what that image is signed as.
        published: when, ISO 8601, UTC.

    Raises:
        UnreadableFile: a file is no longer what it was when it was listed.
    """
    pinned = {ref: f"{split_reference(ref)[0]}@{digest}" for ref, digest in built.items()} | dict(external)
    services = {name: pinned[reference] for name, reference in plan.services.items()}
    sources = source.sources
    with registry_writes(registry, settings), registry.client() as client, ThreadPoolExecutor(8) as pool:
        references = sorted(set(services.values()))
        known = previous.images if previous else {}
        described = pool.map(
            lambda ref: known[ref] if ref in known else describe_image(client, ref, ref not in external.values()),
            references,
        )
        release = Release(
            stack=source.stack.name,
            tag=tag,
            commit=source.commit,
            committed=source.committed,
            compose_files=tuple(sources.relative(path) for path in source.given),
            profiles=settings.profiles,
            services=services,
            images={
                reference: image.model_copy(update={"signed": signed.get(reference)})
                for reference, image in zip(references, described, strict=True)
            },
            registry=registry.host,
            environment_files=sources.needed,
            secret_readers=_secret_readers(source, shipment),
            secret_copies=sources.secret_copies,
            state=tuple(sources.relative(path) for path in sources.state),
            host_paths=sources.host_paths,
            home=home_services(source.stack),
            unsaid=undeclared_state(source.stack, named=sources.called),
            waits=cross_role_dependencies(source.stack),
            volumes=home_volumes(source.stack, source.config.get("volumes")),
            rules={
                sources.relative(path): rule
                for path, rule in sources.rules.items()
                if any(inside(path, one) for one in sources.state)
            },
            compose_needs=source.compose_needs,
            side_by_side=_side_by_side(source),
        )
        repository, name = split_reference(layout(registry).release_reference(release.stack, tag))
        path = split_host(repository)[1]
        there = published_layers(client, path, (name, newest_tag(registry, release.stack)), shipment.tree)
        layering = in_layers(shipment.tree, there)
        packed = bundle.pack(_own_files(release, source, shipment, layering))
        _warn_if_replaced(client, path, name, packed)
        diff_id = f"sha256:{hashlib.sha256(gzip.decompress(packed)).hexdigest()}"
        labels = {"dev.slipway.release": tag, "dev.slipway.stack": release.stack}
        labels |= {PUBLISHED: published} | ({BEFORE: before} if before else {})
        layers = push_layers(shipment, layering, there, client, path)
        digest = client.push_files(path, name, packed, diff_id, labels, layers)
        client.tag(path, client.manifest(path, digest), newest_tag(registry, release.stack))
    return release, digest


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


def _own_files(release: Release, source: Source, shipment: Shipment, layering: Layering) -> dict[str, bundle.File]:
    """What the first layer holds: all but the mounted files themselves."""
    sources, tree = source.sources, shipment.tree
    listed = dump_tree(layering.tree, layering.stale)
    files = {bundle.TREE: bundle.File(listed), bundle.DOCUMENT: bundle.File(release.document())}
    for path, text in source.texts.items():
        name = f"{bundle.FILES}/{sources.relative(path)}"
        content = _content(path)
        if io.TextIOWrapper(io.BytesIO(content), "utf-8", "replace").read() != text:
            raise UnreadableFile(f"{path} changed while the release was made. {WRITTEN}")
        files[name] = bundle.File(content, tree[name].mode if name in tree else 0o644)
    labels = {}
    for service, paths in _mounted_names(source, shipment).items():
        label = files_label(tree, paths, lambda n: read_as_listed(shipment.sources[n], tree[n]))
        if label:
            labels[service] = label
    files[bundle.OVERRIDE] = bundle.File(release.override(labels))
    return files


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None


def _mounted_names(source: Source, shipment: Shipment) -> dict[str, list[str]]:
    """Service → the names in the release of all that it mounts."""
    sources = source.sources
    state = tuple(sources.relative(path) for path in sources.state)
    return {
        service: sorted({n for p in paths for n in below(shipment.tree, place_of(sources.relative(p), state))})
        for service, paths in sources.readers.items()
    }


def _side_by_side(source: Source) -> SideBySide | None:
    """What two colours on one droplet must know; None for a stack that could not run there, which others may."""
    try:
        return side_by_side(source.config)
    except NotSideBySide:
        return None


def _secret_readers(source: Source, shipment: Shipment) -> dict[str, tuple[str, ...]]:
    """Service → the secret files it mounts, also by a directory or under another name."""
    sources, tree = source.sources, shipment.tree
    found = {name: tuple(map(sources.relative, paths)) for name, paths in sources.secret_readers.items()}
    for service, names in _mounted_names(source, shipment).items():
        given = [tree[name].target for name in names if tree[name].kind == "given"]
        if given:
            found[service] = tuple(dict.fromkeys((*found.get(service, ()), *given)))
    return found


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
