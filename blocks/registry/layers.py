"""Layers of an image: described in its manifest, and sent from a file, so that none has to be held in memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DIFF_ID = "dev.slipway.diff-id"
PIECE = 1024 * 1024


@dataclass(frozen=True)
class ImageLayer:
    """A layer that a registry has: digest and size as it is sent, and its digest before compression.

    Args:
        annotations: what its descriptor says beside that (OCI image specification 1.1, annotations).
    """

    digest: str
    size: int
    diff_id: str
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)

    def descriptor(self) -> dict[str, Any]:
        """The layer as a manifest describes it."""
        annotations = {**self.annotations, DIFF_ID: self.diff_id}
        return {"mediaType": LAYER, "digest": self.digest, "size": self.size, "annotations": annotations}


def own_layer(manifest: Mapping[str, Any]) -> str:
    """The digest of a manifest's first layer; '' where it has none."""
    first = next(iter(_descriptors(manifest)), {})
    return str(first.get("digest") or "")


def described_layers(manifest: Mapping[str, Any]) -> tuple[ImageLayer, ...]:
    """The layers of a manifest that say all that `ImageLayer` holds."""
    found = []
    for entry in _descriptors(manifest):
        said, size, notes = entry.get("digest"), entry.get("size"), entry.get("annotations")
        if isinstance(notes, dict) and DIFF_ID in notes and isinstance(said, str) and isinstance(size, int):
            found.append(ImageLayer(said, size, str(notes[DIFF_ID]), notes))
    return tuple(found)


def _descriptors(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    listed = manifest.get("layers")
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


class FileContent:
    """A file's content as a request sends it: from its beginning, also when the request has to be sent again."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(0)
        while piece := self._file.read(PIECE):
            yield piece
