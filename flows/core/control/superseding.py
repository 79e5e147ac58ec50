"""Superseding: which runs of a deployment give way to a newer one, and to which.

A release that waits in the queue while a newer one for the same place was asked for is worth nothing any more. One that
runs already goes on; one that somebody runs again by hand was asked for once more, and gives way to nobody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

# Parameters that say where a run goes. Two that differ in one of them have nothing to do with each other.
PLACE = ("stack", "destination", "droplet", "to", "promote")
RunStatus = Literal["queued", "running", "done", "over"]


@dataclass(frozen=True)
class QueuedRun:
    """A run of a deployment.

    Args:
        asked: when it was to start first: when it was triggered, or the time that a schedule meant.
        status: queued, running (or paused), done (completed), or over (failed, crashed, cancelled).
        again: it was started before, and somebody runs it again.
    """

    id: str
    name: str
    asked: datetime
    created: datetime
    status: RunStatus
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)
    again: bool = False

    @property
    def order(self) -> tuple[datetime, datetime, str]:
        """What makes a run newer than another one."""
        return self.asked, self.created, self.id

    def sentence(self) -> str:
        """Why an older run gave way, for its state."""
        return f"superseded by {self.name} ({self.id}), which was asked for later. Nothing of this run was done"


def covers(newer: QueuedRun, older: QueuedRun) -> bool:
    """Whether the newer run does all that the older one would, in the same place."""
    same = all(newer.parameters.get(name) == older.parameters.get(name) for name in PLACE)
    mine, theirs = newer.parameters.get("services") or (), older.parameters.get("services") or ()
    return same and (not mine or (bool(theirs) and set(theirs) <= set(mine)))


def superseding_run(run: QueuedRun, others: Iterable[QueuedRun], now: datetime) -> QueuedRun | None:
    """The newest run that this one gives way to; None: it is worth running.

    One that is to start later than now supersedes nothing yet, nor does one that came to nothing.
    """
    newer = [
        other
        for other in others
        if other.id != run.id and other.order > run.order and other.asked <= now and other.status != "over"
        if covers(other, run)
    ]
    return None if run.again else max(newer, key=lambda other: other.order, default=None)


def superseded_runs(runs: Iterable[QueuedRun], now: datetime) -> list[tuple[QueuedRun, QueuedRun]]:
    """The queued runs that give way, each with the run that it gives way to."""
    known = list(runs)
    found = [(run, superseding_run(run, known, now)) for run in known if run.status == "queued"]
    return [(run, newer) for run, newer in found if newer is not None]
