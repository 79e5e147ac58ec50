"""Resources of a container registry at DigitalOcean: plan, repositories, tags, manifests, garbage collections.

Source: https://docs.digitalocean.com/reference/api/ (`/v2/registries`; all of `/v2/registry` is deprecated)
"""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
ENDED = ("failed", "succeeded", "cancelled")


@dataclass(frozen=True)
class RegistryInfo:
    """A container registry of the account; `used` in bytes."""

    name: str
    region: str
    used: int

    @classmethod
    def parse(cls, found: Json) -> "RegistryInfo":
        return cls(found["name"], found.get("region") or "", int(found.get("storage_usage_bytes") or 0))


@dataclass(frozen=True)
class Subscription:
    """A registry plan, and what it includes. Sizes in bytes, price in US dollars a month."""

    tier: str
    repositories: int
    storage: int
    overage: bool
    price_monthly: float

    @classmethod
    def parse(cls, found: Json) -> "Subscription":
        tier = found["tier"]
        return cls(
            tier=tier["slug"],
            repositories=int(tier["included_repositories"]),
            storage=int(tier["included_storage_bytes"]),
            overage=bool(tier.get("allow_storage_overage")),
            price_monthly=float(tier.get("monthly_price_in_cents") or 0) / 100,
        )


@dataclass(frozen=True)
class Repository:
    """A repository, with how many tags and manifests it holds."""

    name: str
    tags: int
    manifests: int

    @classmethod
    def parse(cls, found: Json) -> "Repository":
        return cls(found["name"], int(found.get("tag_count") or 0), int(found.get("manifest_count") or 0))


@dataclass(frozen=True)
class Tag:
    """A tag and the manifest it points at. `updated_at` in ISO 8601."""

    repository: str
    tag: str
    digest: str
    updated_at: str

    @classmethod
    def parse(cls, found: Json) -> "Tag":
        return cls(
            repository=found["repository"],
            tag=found["tag"],
            digest=found["manifest_digest"],
            updated_at=found.get("updated_at") or "",
        )


@dataclass(frozen=True)
class DocrManifest:
    """A manifest with all tags that point at it; `size` in compressed bytes."""

    repository: str
    digest: str
    tags: tuple[str, ...]
    size: int
    updated_at: str

    @classmethod
    def parse(cls, found: Json) -> "DocrManifest":
        return cls(
            repository=found["repository"],
            digest=found["digest"],
            tags=tuple(found.get("tags") or ()),
            size=int(found.get("compressed_size_bytes") or 0),
            updated_at=found.get("updated_at") or "",
        )


@dataclass(frozen=True)
class Collection:
    """A garbage collection, under way or ended; `freed` in bytes."""

    uuid: str
    status: str
    blobs_deleted: int
    freed: int

    @classmethod
    def parse(cls, found: Json) -> "Collection":
        return cls(found["uuid"], found["status"], int(found.get("blobs_deleted") or 0),
                   int(found.get("freed_bytes") or 0))  # fmt: skip

    @property
    def ended(self) -> bool:
        return self.status in ENDED
