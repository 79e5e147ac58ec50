"""Layers of an image: described in its manifest, and sent from a file, so that none has to be held in memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from blocks.errors import RegistryFailed

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


def described_layers(manifest: Mapping[str, Any]) -> tuple[ImageLayer, ...]:
    """The layers of a manifest that say all that `ImageLayer` holds.

    Raises:
        RegistryFailed: it is not as the specification describes it.
    """
    try:
        return tuple(
            ImageLayer(entry["digest"], entry["size"], entry["annotations"][DIFF_ID], entry["annotations"])
            for entry in manifest.get("layers") or ()
            if DIFF_ID in (entry.get("annotations") or {})
        )
    except (LookupError, TypeError, AttributeError) as error:
        raise RegistryFailed(
            f"a manifest in the registry describes no layers ({type(error).__name__}). Build and push this tag again"
        ) from None


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
