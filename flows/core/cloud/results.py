"""Results of the flows that work at DigitalOcean."""

from dataclasses import dataclass

from flows.core.cloud.costs import Cost
from flows.core.cloud.snapshots import DropletSnapshot


@dataclass(frozen=True)
class Provisioned:
    """Result of provision: the new droplet, its address, its price and its engine."""

    name: str
    id: int
    address: str
    cost: Cost
    engine: str
    host_key: str
    seconds: float


@dataclass(frozen=True)
class Decommissioned:
    """Result of decommission: whether there was a droplet to remove."""

    name: str
    removed: bool
    seconds: float


@dataclass(frozen=True)
class SnapshotResult:
    """Result of snapshot: the new one (None in a dry run), its price, and the old ones that were removed."""

    droplet: str
    name: str
    snapshot: DropletSnapshot | None
    cost: Cost
    removed: tuple[DropletSnapshot, ...]
    seconds: float
