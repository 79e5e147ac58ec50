"""What was measured of one way, and its row in the table."""

from dataclasses import dataclass, field
from math import inf, nan

from benchmarks.load import Request, Result
from benchmarks.measure import median

COLUMNS = (
    "way",
    "rounds",
    "requests",
    "failed",
    "cut streams",
    "sessions re-established",
    "lost or doubled writes",
    "decision → last client on the new release (median, max)",
    "switch back",
)


@dataclass(frozen=True)
class Decision:
    """A round: when it was decided (Unix time), and from which colour or to which release it goes.

    Where `left` is '' the colour stays, and clients are told apart by the release that answers them; a failed request
    is then one of a client that is not there yet. `over` is when the work was done.
    """

    at: float
    over: float
    left: str = ""
    release: str = ""


@dataclass
class Way:
    """One way: how many rounds were wanted and worked, forward and back, what did not, and what the load found."""

    name: str
    wanted: int
    done: int = 0
    decisions: list[Decision] = field(default_factory=list)
    back: list[Decision] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    result: Result | None = None

    def seconds(self, decisions: list[Decision]) -> list[float]:
        """For each of these, how long clients that asked anew were still not on the new release."""
        assert self.result
        starts = [decision.at for decision in self._all]
        found = []
        for decision in decisions:
            until = min((at for at in starts if at > decision.at), default=inf)
            if decision.left:
                latest = self.result.latest_start_answered_by(decision.left, decision.at, until)
            else:
                latest = self.result.latest_start_without(decision.release, decision.at, until)
            found.append(0.0 if latest is None else latest - decision.at)
        return found

    def ended_later(self, cut: Request) -> bool:
        """Whether a stream was held as long as its colour was kept: it ended when another release came onto a colour
        that traffic had left before."""
        before = [decision for decision in self._all if decision.at <= cut.end]
        return bool(before) and before[-1].left == cut.colour != "" and cut.end > before[-1].over

    @property
    def _all(self) -> list[Decision]:
        return sorted((*self.decisions, *self.back), key=lambda decision: decision.at)

    def row(self) -> tuple[str, ...]:
        """The cells, in the order of `COLUMNS`."""
        rounds = f"{self.done}" if self.done == self.wanted else f"{self.done} of {self.wanted}"
        if self.result is None:
            return (self.name, rounds, *["-"] * (len(COLUMNS) - 2))
        result = self.result
        later = sum(map(self.ended_later, result.cuts))
        wrong = "unknown" if result.wrong_writes is None else f"{result.wrong_writes:,}"
        return (
            self.name,
            rounds,
            f"{result.total:,}",
            f"{result.failed:,}",
            f"{result.cut - later:,}" + (f" (+ {later:,} ended later)" if later else ""),
            f"{result.re_established:,}",
            wrong,
            _median_and_max(self.seconds(self.decisions)),
            _median_and_max(self.seconds(self.back)),
        )

    def notes(self) -> list[str]:
        """What went wrong, in sentences."""
        said = [f"{self.name}: {trouble}." for trouble in self.trouble]
        if self.result and (reasons := self.result.reasons()):
            said.append(f"{self.name}, what failed or was cut: {'; '.join(reasons)}.")
        return said


def _median_and_max(values: list[float]) -> str:
    if not values:
        return "-"
    return f"{_seconds(median(values))}, {_seconds(max(values, default=nan))}"


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"
