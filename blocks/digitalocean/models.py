"""Resources of DigitalOcean's API, as far as we use them: plain values, parsed from its JSON.

Source: https://docs.digitalocean.com/reference/api/
"""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Account:
    """The account that a token belongs to, its state and its limits."""

    email: str
    status: str
    status_message: str
    droplet_limit: int
    team: str

    @classmethod
    def parse(cls, found: Json) -> "Account":
        team = str((found.get("team") or {}).get("name", ""))
        return cls(
            email=found["email"],
            status=found["status"],
            status_message=found.get("status_message") or "",
            droplet_limit=int(found["droplet_limit"]),
            team=team,
        )


@dataclass(frozen=True)
class DropletInfo:
    """A droplet as DigitalOcean describes it. Prices in US dollars, `disk` in gigabytes."""

    id: int
    name: str
    status: str
    region: str
    size: str
    price_hourly: float
    price_monthly: float
    image: str
    tags: tuple[str, ...]
    vpc: str
    public_ip: str
    private_ip: str
    locked: bool
    disk: int

    @classmethod
    def parse(cls, found: Json) -> "DropletInfo":
        v4 = {n["type"]: n["ip_address"] for n in reversed(found["networks"].get("v4") or [])}
        image = found.get("image") or {}
        return cls(
            id=int(found["id"]), name=found["name"], status=found["status"], region=found["region"]["slug"],
            size=found["size_slug"], price_hourly=float(found["size"]["price_hourly"]),
            price_monthly=float(found["size"]["price_monthly"]), image=str(image.get("slug") or image.get("id") or ""),
            tags=tuple(found.get("tags") or ()), vpc=found.get("vpc_uuid") or "", public_ip=v4.get("public", ""),
            private_ip=v4.get("private", ""), locked=bool(found["locked"]),
            disk=int(found["disk"]),
        )  # fmt: skip


@dataclass(frozen=True)
class NewDroplet:
    """The properties of a droplet that is to be created. `image` is an id, or the slug of a distribution."""

    name: str
    region: str
    size: str
    image: str | int
    ssh_keys: tuple[str | int, ...] = ()
    tags: tuple[str, ...] = ()
    vpc: str = ""
    user_data: str = field(default="", repr=False)

    @property
    def body(self) -> Json:
        """The request that creates it."""
        keyed = {"ssh_keys": list(self.ssh_keys), "tags": list(self.tags), "vpc_uuid": self.vpc}
        keyed["user_data"] = self.user_data
        given = {name: value for name, value in keyed.items() if value}
        return {"name": self.name, "region": self.region, "size": self.size, "image": self.image, **given}


@dataclass(frozen=True)
class Action:
    """An operation that DigitalOcean carries out in the background."""

    id: int
    status: str
    type: str
    resource_id: int | None

    @classmethod
    def parse(cls, found: Json) -> "Action":
        return cls(int(found["id"]), found["status"], found["type"], found.get("resource_id"))


@dataclass(frozen=True)
class Snapshot:
    """A snapshot of a droplet's disk. `created_at` in ISO 8601, size in gigabytes."""

    id: str
    name: str
    created_at: str
    size: float
    droplet: str
    regions: tuple[str, ...]
    tags: tuple[str, ...]

    @classmethod
    def parse(cls, found: Json) -> "Snapshot":
        return cls(
            id=str(found["id"]),
            name=found["name"],
            created_at=found["created_at"],
            size=float(found["size_gigabytes"]),
            droplet=str(found["resource_id"]),
            regions=tuple(found["regions"]),
            tags=tuple(found.get("tags") or ()),
        )


@dataclass(frozen=True)
class Firewall:
    """A cloud firewall, and the tags and droplets that it applies to."""

    id: str
    name: str
    droplets: tuple[int, ...]
    tags: tuple[str, ...]

    @classmethod
    def parse(cls, found: Json) -> "Firewall":
        droplets, tags = tuple(found.get("droplet_ids") or ()), tuple(found.get("tags") or ())
        return cls(id=found["id"], name=found["name"], droplets=droplets, tags=tags)


@dataclass(frozen=True)
class LoadBalancer:
    """A load balancer; `whole` is all of the API's answer."""

    id: str
    name: str
    ip: str
    status: str
    droplets: tuple[int, ...]
    tag: str
    check_interval: float
    healthy_after: int
    whole: Json = field(repr=False)

    @classmethod
    def parse(cls, found: Json) -> "LoadBalancer":
        check = found.get("health_check") or {}
        return cls(
            id=found["id"], name=found.get("name") or "", ip=found.get("ip") or "", status=found["status"],
            droplets=tuple(sorted(found.get("droplet_ids") or ())), tag=found.get("tag") or "",
            check_interval=float(check.get("check_interval_seconds") or 10),
            healthy_after=int(check.get("healthy_threshold") or 5), whole=found,
        )  # fmt: skip


@dataclass(frozen=True)
class DnsRecord:
    """A DNS record; `ttl` in seconds."""

    id: int
    type: str
    name: str
    data: str
    ttl: int

    @classmethod
    def parse(cls, found: Json) -> "DnsRecord":
        return cls(
            id=int(found["id"]),
            type=found["type"],
            name=found["name"],
            data=found["data"],
            ttl=int(found.get("ttl") or 1800),
        )


@dataclass(frozen=True)
class ReservedIp:
    """A static address that can be moved between the droplets of its region."""

    ip: str
    region: str
    droplet: int | None
    locked: bool

    @classmethod
    def parse(cls, found: Json) -> "ReservedIp":
        droplet = found.get("droplet") or {}
        return cls(found["ip"], found["region"]["slug"], droplet.get("id"), bool(found.get("locked")))
