"""The layers of a release's files in a registry: those of an earlier release are taken over, all others pushed."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from prefect.logging import get_run_logger

from blocks.errors import NotInRegistry
from blocks.registry.client import RegistryClient
from blocks.registry.layers import FileContent, ImageLayer, described_layers, own_layer
from flows.core.errors import BadRelease, UnreadableFile
from flows.core.release import bundle
from flows.core.release.archive import PIECE, Member, packed, tar_stream
from flows.core.release.layers import Layering, PublishedTree
from flows.core.release.shipment import Shipment, counted
from flows.core.release.tree import Entry, Tree, read_stale, read_tree
from flows.tasks.release.files.walk import WRITTEN, unreadable

_PACKED_AT_ONCE = 3
_ASKED_AT_ONCE = 8


@dataclass(frozen=True)
class PublishedLayers(PublishedTree):
    """The files of a release that was published before, and the layers that hold them."""

    layers: tuple[ImageLayer, ...] = ()


def published_layers(client: RegistryClient, repository: str, tags: Sequence[str], tree: Tree) -> PublishedLayers:
    """The published release whose layers hold most of a tree; one without layers when none was published.

    Args:
        tags: the releases to choose from; of equal ones the first is taken.
    """
    found: dict[str, PublishedLayers] = {}
    for tag in tags:
        with contextlib.suppress(NotInRegistry, BadRelease):
            manifest = client.manifest(repository, tag).content
            own, layers = own_layer(manifest), described_layers(manifest)
            if own and own not in found:
                found[own] = _published(client, repository, own, layers)
    best = max(found.values(), key=lambda one: one.shared_with(tree), default=PublishedLayers())
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        answers = list(pool.map(lambda layer: client.has_blob(repository, layer.digest), best.layers))
    return replace(best, there=frozenset(number for number, there in enumerate(answers) if there))


def push_layers(
    shipment: Shipment, layering: Layering, before: PublishedLayers, client: RegistryClient, repository: str
) -> tuple[ImageLayer, ...]:
    """Put a shipment's layers into the registry, and return them in their order. What is taken over is not sent.

    Args:
        before: the release that layers are taken from.

    Raises:
        UnreadableFile: a file is no longer what it was when it was listed.
    """
    with ThreadPoolExecutor(_PACKED_AT_ONCE) as pool:
        new = list(pool.map(lambda names: _packed_layer(shipment, names, client, repository), layering.packed))
    layers = (*(before.layers[number] for number in layering.taken), *new)
    if layers:
        files = sum(map(len, layering.packed))
        get_run_logger().info(
            "%d of %d layers of files are new: %s", len(new), len(layers), counted(files, sum(one.size for one in new))
        )
    return layers


def _published(client: RegistryClient, repository: str, own: str, layers: tuple[ImageLayer, ...]) -> PublishedLayers:
    files = bundle.unpack(client.blob(repository, own))
    if bundle.TREE not in files:
        return PublishedLayers()
    listed = files[bundle.TREE].content
    return PublishedLayers(read_tree(listed), read_stale(listed), (), layers)


def _packed_layer(shipment: Shipment, names: Sequence[str], client: RegistryClient, repository: str) -> ImageLayer:
    members = (_member(name, shipment) for name in names)
    plain, sent, size = hashlib.sha256(), hashlib.sha256(), 0
    with tempfile.TemporaryFile(prefix="slipway-layer-") as file:
        for piece in packed(_noted(tar_stream(members), plain)):
            sent.update(piece)
            size += file.write(piece)
        digest = f"sha256:{sent.hexdigest()}"
        client.push_blob(repository, digest, FileContent(file, size))
    return ImageLayer(digest, size, f"sha256:{plain.hexdigest()}")


def _member(name: str, shipment: Shipment) -> Member:
    entry, path = shipment.tree[name], shipment.sources[name]
    return Member(name, entry, lambda: read_as_listed(path, entry))


def read_as_listed(path: str, entry: Entry) -> Iterator[bytes]:
    """The content of a file on the build host, which must be what it was when it was listed.

    Raises:
        UnreadableFile
    """
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while piece := file.read(PIECE):
                digest.update(piece)
                yield piece
    except OSError as error:
        raise unreadable(os.fspath(path), error) from None
    if digest.hexdigest() != entry.digest:
        raise UnreadableFile(f"{path} changed while the release was made. {WRITTEN}")


def _noted(pieces: Iterator[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    for piece in pieces:
        digest.update(piece)
        yield piece
