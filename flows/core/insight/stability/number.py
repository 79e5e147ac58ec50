"""One number of a stability report: its value, what it rests on, its course by days, and its verdict."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from flows.core.insight.stability.statistics import Interval, median, unbroken_run, wilson_interval

NumberVerdict = Literal["pass", "fail", "not enough data"]
Unit = Literal["s", "share", "per day"]
Statistic = Callable[[Sequence[float]], float | None]
# Of a number's parts, those with the most observations.
_PARTS = 40


@dataclass(frozen=True)
class StabilityThresholds:
    """The thresholds of the numbers; `Settings` describes each (`stability_…`)."""

    pull: float = 60
    success: float = 0.9
    coverage: float = 0.95
    error_rate: float = 0.01
    latency: float = 5
    frequency: float = 1
    lead_time: float = 24
    change_failures: float = 0.15
    restore: float = 60
    releases: int = 5
    requests: int = 100


@dataclass(frozen=True)
class Observation:
    """One value that was seen.

    Args:
        value: in the number's unit; of a share 1 (it was so) or 0.
        rollout: id of the rollout that it is of; '' for none.
        parts: what it was seen of: `image`, `registry`, `droplet`, `agent` …
    """

    at: datetime
    value: float
    rollout: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DayValue:
    """The number on one day (UTC); None: nothing was seen that day."""

    day: str
    value: float | None
    count: int


@dataclass(frozen=True)
class NumberPart:
    """The number of one part: of one image, agent, droplet, registry."""

    of: str
    name: str
    value: float | None
    count: int
    median: float | None = None
    interval: Interval | None = None


@dataclass(frozen=True)
class Number:
    """One number over the whole time.

    Args:
        key: its name in JSON and in settings.
        group: `runbook` or `delivery` (the four of DORA).
        value: None: nothing is known.
        count: how many observations it rests on; `counted` says of what.
        threshold: in the number's unit; `wanted` says it in words.
        why: the verdict in words; of `not enough data`, how much would be enough.
        interval: of a share, 95 %, by Wilson.
        behind: ids of the rollouts behind it; `notable`: of those that weigh against it.
    """

    key: str
    title: str
    group: Literal["runbook", "delivery"]
    unit: Unit
    value: float | None
    count: int
    counted: str
    threshold: float
    wanted: str
    verdict: NumberVerdict
    why: str
    median: float | None = None
    interval: Interval | None = None
    course: tuple[DayValue, ...] = ()
    parts: tuple[NumberPart, ...] = ()
    behind: tuple[str, ...] = ()
    notable: tuple[str, ...] = ()


def days_of(begin: datetime, until: datetime) -> list[str]:
    """The days (UTC) that a time touches."""
    found, day = [], begin.date()
    while day <= until.date():
        found.append(day.isoformat())
        day += timedelta(days=1)
    return found


def course_of(seen: Iterable[Observation], days: Sequence[str], statistic: Statistic) -> tuple[DayValue, ...]:
    """The statistic day by day."""
    values: dict[str, list[float]] = {day: [] for day in days}
    for one in seen:
        values.setdefault(one.at.date().isoformat(), []).append(one.value)
    return tuple(DayValue(day, statistic(values[day]), len(values[day])) for day in days)


def values_by_part(seen: Iterable[Observation], statistic: Statistic, *, share: bool) -> tuple[NumberPart, ...]:
    """The statistic part by part, by kind and name; of each kind the parts with the most observations."""
    values: dict[tuple[str, str], list[float]] = {}
    for one in seen:
        for kind, name in one.parts.items():
            values.setdefault((kind, name), []).append(one.value)
    kept: list[NumberPart] = []
    for kind in dict.fromkeys(kind for kind, _ in values):
        mine = sorted(((n, v) for (k, n), v in values.items() if k == kind), key=lambda pair: (-len(pair[1]), pair[0]))
        for name, found in sorted(mine[:_PARTS]):
            interval = wilson_interval(round(sum(found)), len(found)) if share else None
            kept.append(
                NumberPart(kind, name, statistic(found), len(found), None if share else median(found), interval)
            )
    return tuple(kept)


def mean(values: Sequence[float]) -> float | None:
    """The mean, which of ones and zeros is a share; None without values."""
    return sum(values) / len(values) if values else None


def judged_share(value: float | None, count: int, threshold: float, counted: str, least: int, *,
                 at_most: bool = False) -> tuple[NumberVerdict, str]:  # fmt: skip
    """The verdict over a share, and why."""
    if value is None or count < least:
        return "not enough data", missing(count, least, counted)
    well = value <= threshold if at_most else value >= threshold
    interval = wilson_interval(round(value * count), count)
    assert interval is not None
    sure = interval[1] <= threshold if at_most else interval[0] >= threshold
    if well:
        run = None if sure else unbroken_run(threshold, at_most=at_most)
        sooner = f": {run:,} {counted} without an exception would make it sure" if run and run > count else ""
        return "pass", "" if sure else f"the interval reaches beyond the threshold{sooner}"
    surely = interval[0] > threshold if at_most else interval[1] < threshold
    return "fail", "" if surely else "the interval still reaches the threshold"


def judged_seconds(value: float | None, count: int, threshold: float, counted: str,
                   least: int) -> tuple[NumberVerdict, str]:  # fmt: skip
    """The verdict over a time that must not be exceeded, and why."""
    if value is None or count < least:
        return "not enough data", missing(count, least, counted)
    return ("pass" if value <= threshold else "fail"), ""


def missing(count: int, least: int, counted: str) -> str:
    """How much there is, and how much would be enough."""
    return f"{counted_words(count, counted) if count else f'no {counted}'}; {least:,} would be enough"


def counted_words(count: int, counted: str) -> str:
    """`1 release`, `28 releases`."""
    return f"{count:,} {counted.removesuffix('s') if count == 1 else counted}"


def worst(seen: Iterable[Observation], most: int = 10) -> tuple[str, ...]:
    """The rollouts of the greatest values, each once."""
    ordered = sorted((one for one in seen if one.rollout), key=lambda one: -one.value)
    return tuple(dict.fromkeys(one.rollout for one in ordered))[:most]


def behind_of(seen: Iterable[Observation]) -> tuple[str, ...]:
    """The rollouts that were counted, each once."""
    return tuple(dict.fromkeys(one.rollout for one in seen if one.rollout))
