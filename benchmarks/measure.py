"""A measurement: times of the same work done by several sides in turn, and the ratio between two of them."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """One line of a section's table; every cell is text. A `strong` row holds a target or a total."""

    cells: tuple[str, ...]
    strong: bool = False


@dataclass
class Section:
    """One table: its title, its columns, its rows, and sentences below it."""

    title: str
    columns: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *cells: str, strong: bool = False) -> None:
        self.rows.append(Row(cells, strong))


def timed(work: Callable[[], object]) -> float:
    """Seconds that the work takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def alternate(
    rounds: int, sides: Mapping[str, Callable[[], float]], tell: Callable[[str], None]
) -> dict[str, list[float]]:
    """Let each side do its work in turn, A B A B, so that a machine that becomes slower does so for all of them.

    Args:
        sides: name → work that returns the seconds it took.
    """
    found: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(1, rounds + 1):
        for name, work in sides.items():
            found[name].append(work())
            tell(f"round {number} of {rounds}: {name} {found[name][-1]:.2f} s")
    return found


def median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else float("nan")


def seconds(values: Sequence[float]) -> str:
    """`4.21 s (4.0 to 4.9)`: the median, and from where to where single runs went."""
    if not values:
        return "-"
    spread = f" ({min(values):.2f} to {max(values):.2f})" if len(values) > 1 else ""
    return f"{median(values):.2f} s{spread}"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median beside median."""
    return median(ours) / median(theirs)


def judged(measured: float, target: float) -> tuple[str, str, str]:
    """Three cells: the ratio, the target, and whether it is met."""
    return times(measured), f"≤ {times(target)}", "met" if round(measured, 2) <= target else "not met"


def within(spent: Sequence[float], limit: float) -> tuple[str, str]:
    """Two cells: the limit in seconds, and whether even the slowest run kept it."""
    return f"≤ {limit:g} s", "met" if max(spent) <= limit else "not met"


def times(factor: float) -> str:
    return f"{factor:.2f} ×"  # noqa: RUF001  a sign of multiplication is meant
