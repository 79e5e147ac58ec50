"""The origin of an image: what it is, who built it from what, what is in it, and since when it runs here."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flows.core.answers import reads
from flows.core.trust.packages.package import package_counts
from flows.core.trust.provenance import Provenance, read_provenance

_LARGEST = 64 * 1024 * 1024
_MOST = 100_000


@dataclass(frozen=True)
class ListedPackage:
    """A package as an SBOM lists it: its kind (the type of its package URL), name, version and licences."""

    kind: str
    name: str
    version: str
    license: str = ""


@dataclass(frozen=True)
class RunningImage:
    """A service that runs an image: on which droplet, of which release, and since when (RFC 3339; '' for unknown)."""

    droplet: str
    service: str
    tag: str = ""
    since: str = ""


@dataclass(frozen=True)
class ImageOrigin:
    """The origin of an image, as far as it is attested.

    Args:
        image: its repository.
        verified: in a sentence, by which key the attestations were verified; '' where none was.
        provenance: None where none is attested.
        packages: those of its SBOM; None where none is attested.
        unread: what its SBOM says that it does not list, in sentences.
        running: where it runs.
    """

    image: str
    digest: str
    verified: str = ""
    provenance: Provenance | None = None
    packages: tuple[ListedPackage, ...] | None = None
    unread: tuple[str, ...] = ()
    running: tuple[RunningImage, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Kind → number of packages, the most frequent first."""
        return package_counts([package.kind for package in self.packages or ()])

    def as_json(self) -> dict[str, Any]:
        """The origin as JSON values."""
        built = self.provenance
        return {
            "image": self.image,
            "digest": self.digest,
            "verified": self.verified,
            "provenance": built and {
                "builder": built.builder,
                "parameters": vars(built.parameters),
                "source": vars(built.source),
                "bases": [vars(base) for base in built.bases],
                "run": vars(built.run),
            },
            "packages": None if self.packages is None else [vars(package) for package in self.packages],
            "unread": list(self.unread),
            "running": [vars(one) for one in self.running],
        }  # fmt: skip


def image_origin(
    image: str,
    digest: str,
    verified: str = "",
    predicate: bytes | None = None,
    document: bytes | None = None,
    running: Sequence[RunningImage] = (),
) -> ImageOrigin:
    """The origin of an image, by its verified attestations.

    Args:
        predicate: the SLSA predicate; None where none is attested.
        document: the CycloneDX document; None where none is attested.

    Raises:
        UnreadableAnswer: one of them cannot be read, or the SBOM is of another image.
    """
    packages, unread = (None, ()) if document is None else read_sbom(document, digest)
    built = None if predicate is None else read_provenance(predicate)
    return ImageOrigin(image, digest, verified, built, packages, unread, tuple(running))


@reads("the SBOM of an image")
def read_sbom(document: bytes, digest: str) -> tuple[tuple[ListedPackage, ...], tuple[str, ...]]:
    """The packages that an SBOM lists, and what it says that it does not.

    Raises:
        UnreadableAnswer: it is none in CycloneDX's JSON, or one of another image.
    """
    if len(document) > _LARGEST:
        raise ValueError("too large")
    found = json.loads(document)
    subject = found["metadata"]["component"]
    if found["bomFormat"] != "CycloneDX" or subject["version"] != digest:
        raise ValueError("of another image")
    components = found.get("components") or []
    if len(components) > _MOST:
        raise ValueError("too many")
    packages = tuple(
        ListedPackage(_kind(entry), str(entry["name"]), str(entry.get("version") or ""), _licenses(entry))
        for entry in components
    )
    notes = tuple(str(entry["value"]) for entry in subject.get("properties") or () if entry["name"] == "slipway:unread")
    return packages, notes


def _kind(component: dict[str, Any]) -> str:
    return str(component.get("purl") or "pkg:other/").removeprefix("pkg:").partition("/")[0]


def _licenses(component: dict[str, Any]) -> str:
    said = []
    for choice in component.get("licenses") or ():
        entry = choice.get("license") or {}
        said.append(str(choice.get("expression") or entry.get("id") or entry.get("name") or ""))
    return ", ".join(filter(None, said))
