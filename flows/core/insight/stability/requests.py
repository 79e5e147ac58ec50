"""Error rate and latency over some days, from Prometheus range queries: their course, and before and after a release.

A range query with a step asks, at each moment, for the window that ends there; window and step are the same, so that
every request counts once. The queries are those of the gates.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flows.core.insight.stability.number import (
    DayValue,
    Number,
    NumberPart,
    StabilityThresholds,
    judged_seconds,
    judged_share,
)
from flows.core.insight.stability.rollouts import Rollout
from flows.core.insight.stability.statistics import wilson_interval
from flows.core.insight.stability.times import told_moment

# How many seconds before and after a release are compared; the next release, or the one before, cuts them short.
SPAN = 3600
Samples = Sequence[tuple[float, float]]
_SHORTEST, _POINTS, _STRETCHES = 60, 2016, 400


@dataclass(frozen=True)
class ColourSamples:
    """The samples of one colour, each as (moment in seconds since 1970, value): requests, share failed, latency."""

    requests: Samples = ()
    error_rate: Samples = ()
    latency: Samples = ()


@dataclass(frozen=True)
class RequestHistory:
    """What Prometheus said of each colour.

    Args:
        step: seconds between samples, which is their window, too.
        trouble: why it could not be asked; '' if it could.
        queries: what was asked, word for word.
    """

    colours: Mapping[str, ColourSamples]
    step: float = 300
    trouble: str = ""
    queries: tuple[str, ...] = ()


@dataclass(frozen=True)
class RequestWindow:
    """One window in which a colour had requests; what is not known of them is None."""

    end: float
    requests: float
    error_rate: float | None
    latency: float | None


@dataclass(frozen=True)
class BeforeAfter:
    """What clients met before and after a release.

    Args:
        at: when they first reached it; ISO 8601.
        error_rate, latency: (before, after) shares and seconds; None: no data.
        requests: (before, after) how many.
        worse: whether its error rate or latency is beyond the threshold, and higher than before.
    """

    rollout: str
    tag: str
    place: str
    at: str
    requests: tuple[float, float]
    error_rate: tuple[float | None, float | None]
    latency: tuple[float | None, float | None]
    worse: bool


@dataclass(frozen=True)
class RequestCourse:
    """What clients met in one stretch of time, over all colours; it begins `at` (seconds since 1970)."""

    at: float
    requests: float
    error_rate: float | None
    latency: float | None


def range_step(seconds: float) -> float:
    """The step of range queries over a time, in whole seconds: at most so many points as Prometheus answers."""
    return float(max(_SHORTEST, math.ceil(seconds / _POINTS)))


def request_windows(samples: ColourSamples) -> list[RequestWindow]:
    """The windows that had requests, in their order. NaN, infinity and what cannot be are no data."""
    rates = {at: v for at, v in samples.error_rate if math.isfinite(v) and 0 <= v <= 1}
    latencies = {at: v for at, v in samples.latency if math.isfinite(v) and v >= 0}
    return [
        RequestWindow(at, count, rates.get(at), latencies.get(at))
        for at, count in sorted(samples.requests)
        if math.isfinite(count) and count > 0
    ]


def error_rate_of(windows: Iterable[RequestWindow]) -> tuple[float | None, float]:
    """The share of requests that failed, over windows of which it is known, and how many requests these had."""
    known = [(one.error_rate, one.requests) for one in windows if one.error_rate is not None]
    count = sum(requests for _, requests in known)
    return (sum(rate * requests for rate, requests in known) / count if count else None), count


def latency_of(windows: Iterable[RequestWindow]) -> float | None:
    """The 95th percentile of a typical request: the median of the windows', each with the weight of its requests."""
    known = sorted((one.latency, one.requests) for one in windows if one.latency is not None)
    half, passed = sum(requests for _, requests in known) / 2, 0.0
    for value, requests in known:
        passed += requests
        if passed >= half:
            return value
    return None


def error_rate_number(asked: RequestHistory, days: Sequence[str], wanted: StabilityThresholds,
                      changes: Sequence[BeforeAfter]) -> Number:  # fmt: skip
    """The share of requests that failed, over all colours."""
    windows = {colour: request_windows(samples) for colour, samples in asked.colours.items()}
    everything = [one for found in windows.values() for one in found]
    value, count = error_rate_of(everything)
    verdict, why = judged_share(
        value, round(count), wanted.error_rate, "requests", wanted.requests, at_most=True
    )  # fmt: skip
    parts = tuple(_rate_part(colour, found) for colour, found in windows.items() if found)
    interval = wilson_interval(round((value or 0) * count), round(count)) if value is not None else None
    return Number(
        "error_rate", "error rate", "runbook", "share", value, round(count), "requests", wanted.error_rate,
        f"at most {wanted.error_rate:.2%}", verdict, asked.trouble or why, None, interval,
        tuple(DayValue(day, *_rounded(error_rate_of(found))) for day, found in _daily(everything, days)), parts,
        tuple(one.rollout for one in changes), tuple(one.rollout for one in changes if one.worse),
    )  # fmt: skip


def latency_number(asked: RequestHistory, days: Sequence[str], wanted: StabilityThresholds,
                   changes: Sequence[BeforeAfter]) -> Number:  # fmt: skip
    """The 95th percentile of latency, over all colours."""
    windows = {colour: request_windows(samples) for colour, samples in asked.colours.items()}
    everything = [one for found in windows.values() for one in found if one.latency is not None]
    value, count = latency_of(everything), round(sum(one.requests for one in everything))
    verdict, why = judged_seconds(value, count, wanted.latency, "requests", wanted.requests)
    parts = tuple(
        NumberPart("colour", colour, latency_of(found), round(sum(w.requests for w in found if w.latency is not None)))
        for colour, found in windows.items() if found
    )  # fmt: skip
    course = tuple(
        DayValue(day, latency_of(found), round(sum(w.requests for w in found)))
        for day, found in _daily(everything, days)
    )
    return Number(
        "latency", "latency, 95th percentile", "runbook", "s", value, count, "requests", wanted.latency,
        f"at most {wanted.latency:g} s", verdict, asked.trouble or why, None, None, course, parts,
        tuple(one.rollout for one in changes), tuple(one.rollout for one in changes if one.worse),
    )  # fmt: skip


def before_and_after(rollouts: Sequence[Rollout], asked: RequestHistory, begin: datetime,
                     wanted: StabilityThresholds) -> tuple[BeforeAfter, ...]:  # fmt: skip
    """Each release that clients reached, with what they met before it and after it."""
    windows = {colour: request_windows(samples) for colour, samples in asked.colours.items()}
    served = [(one.serving.timestamp(), one) for one in rollouts if one.serving and one.serving >= begin]
    served.sort(key=lambda pair: pair[0])
    moments = [at for at, _ in served]
    found = []
    for number, (at, one) in enumerate(served):
        earliest = max(at - SPAN, moments[number - 1] if number else 0.0)
        latest = min(at + SPAN, moments[number + 1] if number + 1 < len(moments) else math.inf)
        previous = (one.turn.previous or one.place) if one.turn else one.place
        before = _between(windows, previous, earliest, at, asked.step)
        after = _between(windows, one.place, at, latest, asked.step)
        rates, times = (error_rate_of(before)[0], error_rate_of(after)[0]), (latency_of(before), latency_of(after))
        worse = _worse(*rates, wanted.error_rate) or _worse(*times, wanted.latency)
        counts = (sum(w.requests for w in before), sum(w.requests for w in after))
        moment = told_moment(datetime.fromtimestamp(at, UTC))
        found.append(BeforeAfter(one.id, one.tag, one.place, moment, counts, rates, times, worse))
    return tuple(found)


def request_course(asked: RequestHistory, begin: datetime, until: datetime) -> tuple[RequestCourse, ...]:
    """The course of error rate and latency in even stretches: an hour each, longer ones over many days."""
    length = max(SPAN, math.ceil((until - begin).total_seconds() / _STRETCHES))
    first, found = begin.timestamp(), dict[int, list[RequestWindow]]()
    for samples in asked.colours.values():
        for one in request_windows(samples):
            found.setdefault(int((one.end - asked.step - first) // length), []).append(one)
    return tuple(
        RequestCourse(
            first + number * length, sum(one.requests for one in windows), error_rate_of(windows)[0],
            latency_of(windows),
        )
        for number, windows in sorted(found.items())
    )  # fmt: skip


def _between(windows: Mapping[str, Sequence[RequestWindow]], place: str, begin: float, end: float,
             step: float) -> list[RequestWindow]:  # fmt: skip
    """The windows that lie wholly between two moments: of the place, or of the only one that was asked about."""
    mine = windows.get(place, next(iter(windows.values()), ()) if len(windows) == 1 else ())
    first = bisect_left(mine, begin + step, key=lambda one: one.end)
    return list(mine[first : bisect_right(mine, end, key=lambda one: one.end)])


def _worse(before: float | None, after: float | None, limit: float) -> bool:
    return after is not None and after > limit and (before is None or after > before)


def _daily(windows: Iterable[RequestWindow], days: Sequence[str]) -> list[tuple[str, list[RequestWindow]]]:
    found: dict[str, list[RequestWindow]] = {day: [] for day in days}
    for one in windows:
        day = datetime.fromtimestamp(one.end, UTC).date().isoformat()
        if day in found:
            found[day].append(one)
    return list(found.items())


def _rate_part(colour: str, found: Sequence[RequestWindow]) -> NumberPart:
    value, count = error_rate_of(found)
    interval = wilson_interval(round((value or 0) * count), round(count)) if value is not None else None
    return NumberPart("colour", colour, value, round(count), None, interval)


def _rounded(pair: tuple[float | None, float]) -> tuple[float | None, int]:
    return pair[0], round(pair[1])
