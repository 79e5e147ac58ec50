"""What the flows at DigitalOcean return."""

from dataclasses import dataclass

from flows.core.cloud.costs import Cost
from flows.core.cloud.snapshots import DropletSnapshot


@dataclass(frozen=True)
class Provisioned:
    """The new droplet, its address, what it costs, and what engine it has."""

    name: str
    id: int
    address: str
    cost: Cost
    engine: str
    host_key: str
    seconds: float


@dataclass(frozen=True)
class Decommissioned:
    """Whether there was such a droplet, and how long it took."""

    name: str
    removed: bool
    seconds: float


@dataclass(frozen=True)
class SnapshotResult:
    """What was taken (None in a dry run), what it may cost, and which ones went."""

    droplet: str
    name: str
    snapshot: DropletSnapshot | None
    cost: Cost
    removed: tuple[DropletSnapshot, ...]
    seconds: float
