"""What was measured of one way to release, and its row in the table."""

from dataclasses import dataclass, field
from itertools import pairwise

from benchmarks.load import Kind, Result
from benchmarks.measure import median

COLUMNS = ("way", "releases", "seconds each", "requests", "failed", "cut", "lost or doubled", "longest gap", "memory")


@dataclass
class Releases:
    """Releases of one way, what clients saw of them, and what they needed."""

    name: str
    result: Result
    seconds: list[float]
    memory: list[int] = field(default_factory=list)

    def row(self) -> tuple[str, ...]:
        """The cells, in the order of `COLUMNS`."""
        wrong = "unknown" if self.result.wrong_writes is None else str(self.result.wrong_writes)
        shown = (self.memory[0], max(self.memory), self.memory[-1]) if self.memory else ()
        memory = " / ".join(f"{b / 1e6:.0f} MB" for b in shown)
        return (
            self.name, str(len(self.seconds)), f"{median(self.seconds):.1f} s", f"{self.result.total:,}",
            str(self.result.failed), str(self.result.cut), wrong, f"{longest_gap(self.result):.2f} s", memory,
        )  # fmt: skip

    def notes(self) -> list[str]:
        """What failed or was cut, in sentences."""
        reasons = self.result.reasons()
        return [f"{self.name}, what failed or was cut: {'; '.join(reasons)}."] if reasons else []


def longest_gap(result: Result) -> float:
    """The longest time between two short requests that were answered well, in seconds."""
    short = (Kind.KEPT, Kind.FRESH)
    ends = sorted(r.end for r in result.requests if r.kind in short and r.outcome.value == "well")
    return max((later - earlier for earlier, later in pairwise(ends)), default=0.0)
