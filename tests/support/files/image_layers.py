"""Layers of images, written member by member, and images of them in a registry."""

import gzip
import io
import json
import tarfile
from collections.abc import Sequence
from typing import Any

from tests.support.registry_server import Registry, sha

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, target: str = "") -> tuple[Any, bytes]:
    """One entry of a layer: a file, or another type of entry with what it leads to."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    info.size = len(content)
    return info, content


def link(name: str, target: str) -> tuple[Any, bytes]:
    """A symbolic link."""
    return member(name, kind=tarfile.SYMTYPE, target=target)


def layer_of(*members: tuple[Any, bytes] | str) -> bytes:
    """A layer as a tar: members, and names of empty files."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for one in members:
            info, content = member(one) if isinstance(one, str) else one
            tar.addfile(info, io.BytesIO(content))
    return raw.getvalue()


def push_image(registry: Registry, layers: Sequence[bytes], created: str = "2026-05-04T12:00:00.123456789Z") -> str:
    """Put an image of these layers into the registry's repository, gzipped; returns its digest."""
    packed = [gzip.compress(layer, 1, mtime=0) for layer in layers]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "created": created,
        "rootfs": {"type": "layers", "diff_ids": [sha(layer) for layer in layers]},
    }
    blobs = [json.dumps(config).encode(), *packed]
    registry.blobs |= {sha(blob): blob for blob in blobs}
    described = [{"digest": sha(blob), "size": len(blob)} for blob in blobs]
    return push_manifest(registry, {"config": described[0], "layers": described[1:]}, MANIFEST)


def push_manifest(registry: Registry, content: dict[str, Any], media_type: str) -> str:
    """Put a manifest or an index into the registry's repository; returns its digest."""
    raw = json.dumps({"schemaVersion": 2, "mediaType": media_type, **content}).encode()
    registry.manifests[sha(raw)] = (raw, media_type)
    return sha(raw)
