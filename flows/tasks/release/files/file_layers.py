"""Pushes the layers of a release's files: each is packed into a temporary file, and one that is there is not packed."""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from prefect.logging import get_run_logger

from blocks.errors import NotInRegistry
from blocks.registry.client import RegistryClient
from blocks.registry.layers import FileContent, ImageLayer, described_layers
from flows.core.errors import UnreadableFile
from flows.core.release.archive import PIECE, Member, packed, tar_stream
from flows.core.release.layers import layer_key
from flows.core.release.shipment import Shipment, counted
from flows.core.release.tree import Entry
from flows.tasks.release.files.walk import WRITTEN, unreadable

KEY = "dev.slipway.files"
_AT_ONCE = 3


def push_layers(
    shipment: Shipment, client: RegistryClient, repository: str, tags: Sequence[str]
) -> tuple[ImageLayer, ...]:
    """Put the shipment's layers into the registry, and return them in their order.

    Args:
        tags: releases whose layers are looked through for those that are the same.

    Raises:
        UnreadableFile: a file is no longer what it was when it was listed.
    """
    known = _published_layers(client, repository, tags)
    keys = [layer_key(shipment.tree, names) for names in shipment.layers]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        pushed = list(pool.map(lambda n: _layer(shipment, n, keys[n], known, client, repository), range(len(keys))))
    new = [layer for layer in pushed if layer.annotations[KEY] not in known]
    if pushed:
        files = sum(len(names) for names, layer in zip(shipment.layers, pushed, strict=True) if layer in new)
        get_run_logger().info(
            "%d of %d layers of files are new: %s", len(new), len(pushed), counted(files, sum(one.size for one in new))
        )
    return tuple(pushed)


def _published_layers(client: RegistryClient, repository: str, tags: Sequence[str]) -> dict[str, ImageLayer]:
    found: dict[str, ImageLayer] = {}
    for tag in tags:
        try:
            layers = described_layers(client.manifest(repository, tag).content)
        except NotInRegistry:
            continue
        found |= {layer.annotations[KEY]: layer for layer in layers if KEY in layer.annotations}
    return found


def _layer(
    shipment: Shipment,
    number: int,
    key: str,
    known: Mapping[str, ImageLayer],
    client: RegistryClient,
    repository: str,
) -> ImageLayer:
    if (same := known.get(key)) and client.has_blob(repository, same.digest):
        return same
    members = (_member(name, shipment) for name in shipment.layers[number])
    plain, sent, size = hashlib.sha256(), hashlib.sha256(), 0
    with tempfile.TemporaryFile(prefix="slipway-layer-") as file:
        for piece in packed(_noted(tar_stream(members), plain)):
            sent.update(piece)
            size += file.write(piece)
        digest = f"sha256:{sent.hexdigest()}"
        client.push_blob(repository, digest, FileContent(file, size))
    return ImageLayer(digest, size, f"sha256:{plain.hexdigest()}", {KEY: key})


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
