"""What is in an image: its packages, and what its configuration says of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flows.core.answers import reads
from flows.core.trust.packages.package import ImagePackages

_MOST_LAYERS = 1000


@dataclass(frozen=True)
class ImageContents:
    """The contents of an image. `created` is when it was built, by its own configuration."""

    packages: ImagePackages
    created: datetime
    platform: str = ""


@dataclass(frozen=True)
class ImageParts:
    """The blobs of an image: its configuration, and its layers with their compressed sizes, the lowest first."""

    config: str
    layers: tuple[tuple[str, int], ...]


@reads("an image's manifest")
def image_parts(manifest: Mapping[str, Any]) -> ImageParts:
    """The blobs that a manifest names.

    Raises:
        UnreadableAnswer: it is none of an image.
    """
    layers = tuple((str(layer["digest"]), int(layer["size"])) for layer in manifest["layers"])
    if len(layers) > _MOST_LAYERS:
        raise ValueError("too many layers")
    return ImageParts(str(manifest["config"]["digest"]), layers)


@reads("an image's index")
def chosen_manifest(index: Mapping[str, Any]) -> str | None:
    """The manifest of an index that stands for its image: of linux/amd64, else the first; None for a manifest."""
    if "manifests" not in index:
        return None
    entries = [entry for entry in index["manifests"] if (entry.get("platform") or {}).get("os") != "unknown"]
    usual = [entry for entry in entries if _platform(entry.get("platform") or {}) == "linux/amd64"]
    return str((usual or entries)[0]["digest"])


@reads("an image's configuration")
def configured(config: Mapping[str, Any]) -> tuple[datetime, str]:
    """When an image was built, in UTC, and its platform. One that does not say was built at the epoch."""
    said = str(config.get("created") or "1970-01-01T00:00:00Z")
    created = datetime.fromisoformat(said[:19].rstrip("Z")).replace(tzinfo=UTC)
    return max(created, datetime(1970, 1, 1, tzinfo=UTC)), _platform(config)


def _platform(spec: Mapping[str, Any]) -> str:
    return "/".join(str(spec[part]) for part in ("os", "architecture", "variant") if spec.get(part))
