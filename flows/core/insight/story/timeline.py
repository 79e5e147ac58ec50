"""The timeline of a run: its stages and steps, each with its place in time, and what was left for Prefect itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Span:
    """One stage or step of a run.

    Args:
        begin, seconds: since the beginning of the run, and how long; both are 0 where it never began.
        depth: 0 for the run itself, 1 for its stages, and so on.
        step: whether it is a step, which does the work; else a flow that holds some.
        outcome: the type of its last state, such as COMPLETED.
    """

    name: str
    begin: float
    seconds: float
    depth: int
    step: bool
    outcome: str = ""

    def as_json(self) -> dict[str, Any]:
        return vars(self)


@dataclass(frozen=True)
class RunTimeline:
    """The timeline of one run: its spans in the order of their beginning, the run itself first.

    Args:
        id, name, url: of the run.
        began: ISO 8601; '' if it is not known.
        whole: False: it had more steps than were asked for.
    """

    id: str
    name: str
    url: str
    began: str
    spans: tuple[Span, ...] = ()
    whole: bool = True

    @property
    def seconds(self) -> float:
        """How long it took; 0 where that is not known."""
        return self.spans[0].seconds if self.spans else 0.0

    @property
    def prefect_seconds(self) -> float | None:
        """Seconds in which no step was at work: Prefect's share, and the code between steps; None: not known."""
        if not self.whole or not any(span.step for span in self.spans):
            return None
        return max(0.0, self.seconds - covered((s.begin, s.begin + s.seconds) for s in self.spans if s.step))

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id, "name": self.name, "url": self.url, "began": self.began or None, "seconds": self.seconds,
            "prefect_seconds": self.prefect_seconds, "spans": [span.as_json() for span in self.spans],
        }  # fmt: skip


def covered(intervals: Iterable[tuple[float, float]]) -> float:
    """The length of what intervals cover together; what several cover counts once."""
    total, until = 0.0, float("-inf")
    for begin, end in sorted(intervals):
        total += max(0.0, end - max(begin, until))
        until = max(until, end)
    return total


def seconds_between(begin: str | None, end: str | None) -> float | None:
    """Seconds from one time to another, both ISO 8601; None where one is missing, damaged, or the later one."""
    try:
        found = (datetime.fromisoformat(end or "") - datetime.fromisoformat(begin or "")).total_seconds()
    except (ValueError, TypeError):
        return None
    return found if found >= 0 else None
