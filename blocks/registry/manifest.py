"""An image's manifest, and the media types of manifests that are asked for.

Source: OCI image specification 1.1.
"""

from dataclasses import dataclass
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
ACCEPT = ", ".join(
    [
        MANIFEST,
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ]
)


@dataclass(frozen=True)
class ImageManifest:
    """An image's manifest: its digest, media type and content."""

    digest: str
    media_type: str
    content: dict[str, Any]
    raw: bytes
