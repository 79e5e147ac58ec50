"""What a load found."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from math import inf

from benchmarks.load.request import Kind, Outcome, Request
from benchmarks.load.writes import Writes

_SHORT = (Kind.KEPT, Kind.FRESH)


@dataclass(frozen=True)
class Result:
    """All requests of a load in the order in which they ended, and what became of its writes."""

    requests: tuple[Request, ...]
    writes: Writes

    @property
    def total(self) -> int:
        return len(self.requests)

    @cached_property
    def failures(self) -> tuple[Request, ...]:
        return tuple(r for r in self.requests if r.outcome is Outcome.FAILED)

    @property
    def failed(self) -> int:
        return len(self.failures)

    @cached_property
    def cuts(self) -> tuple[Request, ...]:
        """The streams that ended before they were told to."""
        return tuple(r for r in self.requests if r.outcome is Outcome.CUT)

    @property
    def cut(self) -> int:
        return len(self.cuts)

    @property
    def ended(self) -> int:
        """How many streams their server ended in order, where that is no fault."""
        return sum(r.outcome is Outcome.ENDED for r in self.requests)

    @property
    def re_established(self) -> int:
        """How often the MCP client was told that its session is not known, and had to open another."""
        return sum(r.outcome is Outcome.FORGOTTEN for r in self.requests)

    @property
    def acknowledged(self) -> tuple[str, ...]:
        """Ids of the writes that were answered as stored."""
        good = (Outcome.WELL, Outcome.TWICE)
        return tuple(r.id for r in self.requests if r.kind is Kind.WRITE and r.outcome in good)

    @property
    def ticks(self) -> int:
        return sum(r.ticks for r in self.requests)

    @property
    def by_kind(self) -> dict[Kind, int]:
        return dict(Counter(r.kind for r in self.requests))

    @property
    def wrong_writes(self) -> int | None:
        """Lost ones and doubled ones together; None when the store could not be asked."""
        return None if self.writes.lost is None else self.writes.lost + self.writes.doubled

    @property
    def is_clean(self) -> bool:
        """Something was asked, nothing failed, no stream was cut, every write stands there once."""
        return self.total > 0 and not (self.failed or self.cut) and self.wrong_writes == 0

    def reasons(self, most: int = 5) -> list[str]:
        """Why requests failed and streams ended, the most frequent first: `12 x 502 Bad Gateway (write)`."""
        found = Counter(f"{r.error} ({r.kind})" for r in (*self.failures, *self.cuts))
        return [f"{count} x {reason}" for reason, count in found.most_common(most)]

    def latest_start_answered_by(self, colour: str, after: float, before: float = inf) -> float | None:
        """When the last request was made that this colour answered; None when there was none.

        Args:
            after, before: only requests that started between the two (Unix time).
        """
        return _latest(self.requests, lambda r: r.colour == colour, after, before)

    def latest_start_without(self, release: str, after: float, before: float = inf) -> float | None:
        """When the last short request was made that failed, or that another release than this one answered."""
        return _latest(
            (r for r in self.requests if r.kind in _SHORT),
            lambda r: r.outcome is Outcome.FAILED or r.release != release,
            after,
            before,
        )

    @property
    def line(self) -> str:
        """The result in one line."""
        wrong = "unknown" if self.wrong_writes is None else f"{self.wrong_writes:,}"
        again = f", {self.re_established:,} sessions re-established" if self.re_established else ""
        slept = f", {self.ended:,} streams ended in order" if self.ended else ""
        return (
            f"{self.total:,} requests, {self.failed:,} failed, {self.cut:,} cut streams, "
            f"{wrong} lost or doubled writes{again}{slept}"
        )


def _latest(
    requests: Iterable[Request], wanted: Callable[[Request], bool], after: float, before: float
) -> float | None:
    return max((r.start for r in requests if after <= r.start < before and wanted(r)), default=None)
