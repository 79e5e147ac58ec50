"""Images as the build host's engine and other registries tell of them: the output of docker as values."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from flows.core.answers import reads
from flows.core.registry.references import is_digest


@dataclass(frozen=True)
class Built:
    """An image in the build host's engine: layers (diff ids), the digests it is known by, unpacked bytes, platform."""

    reference: str
    layers: tuple[str, ...]
    digests: tuple[str, ...]
    size: int
    platform: str


@reads("what `docker image inspect` printed on the build host")
def read_built(references: Sequence[str], printed: str) -> list[Built]:
    """The images that were asked for, in their order."""
    return [
        Built(
            reference,
            tuple(map(str, entry["RootFS"].get("Layers") or ())),
            _known_digests(entry),
            int(entry.get("Size", 0)),
            f"{entry.get('Os', '')}/{entry.get('Architecture', '')}",
        )
        for reference, entry in zip(references, json.loads(printed), strict=True)
    ]


@reads("what `docker image inspect` printed on the build host")
def read_known_digests(printed: str) -> tuple[str, ...]:
    """The references with a digest that the one image is known by."""
    [entry] = json.loads(printed)
    return _known_digests(entry)


@reads("what a registry says of an image, by `docker buildx imagetools inspect`,")
def read_remote_digest(printed: str) -> str:
    """The digest of a manifest."""
    digest = str(json.loads(printed)["digest"])
    if not is_digest(digest):
        raise ValueError("no digest")
    return digest


def _known_digests(entry: dict[str, list[str] | None]) -> tuple[str, ...]:
    known = tuple(map(str, entry.get("RepoDigests") or ()))
    if not all(is_digest(one.rpartition("@")[2]) for one in known):
        raise ValueError("no digest")
    return known
