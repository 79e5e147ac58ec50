"""Snapshots of droplets: names and tags of those that Slipway makes, and which of them are old."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flows.core.registry.references import slug

OURS, SNAPSHOT, PROVISIONED, REHEARSAL = "slipway", "slipway-snapshot", "slipway-provisioned", "slipway-rehearsal"
_NAME = re.compile(r"slipway-.+-\d{14}")


@dataclass(frozen=True)
class DropletSnapshot:
    """A snapshot of a droplet: `at` is when it was made (ISO 8601), `size` is in gigabytes."""

    id: str
    name: str
    at: str
    droplet: str
    size: float
    tags: tuple[str, ...] = ()

    @property
    def ours(self) -> bool:
        """Whether Slipway made it: known by its tag, or by its name where a killed run set no tag."""
        return SNAPSHOT in self.tags or _NAME.fullmatch(self.name) is not None


def snapshot_name(stack: str, tag: str, at: str) -> str:
    """The name of a new snapshot: `slipway-STACK-TAG-YYYYMMDDHHMMSS`.

    Args:
        at: ISO 8601, UTC.
    """
    return f"slipway-{slug(stack)}-{slug(tag)}-{re.sub(r'[^0-9]', '', at)[:14]}"


def snapshots_of(taken: Sequence[DropletSnapshot], droplet: int) -> list[DropletSnapshot]:
    """The snapshots that Slipway made of this droplet, newest first."""
    return sorted((t for t in taken if t.ours and t.droplet == str(droplet)), key=lambda t: (t.at, t.id), reverse=True)


def snapshots_beyond(taken: Sequence[DropletSnapshot], droplet: int, keep: int) -> list[DropletSnapshot]:
    """The snapshots that Slipway made of this droplet, without the `keep` newest."""
    return snapshots_of(taken, droplet)[keep:]
