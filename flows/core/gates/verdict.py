"""The three verdicts, the result of one gate, and how results make one decision."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum


class Verdict(Enum):
    """What a gate says."""

    PASS = "pass"  # noqa: S105 — a verdict
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class GateResult:
    """One gate as it was read once.

    Args:
        found: the numbers, in words.
        wanted: the threshold, in words.
        query: what was asked to find it, word for word.
        observed: it is shown, and decides nothing.
        evidence: the rows behind it.
    """

    gate: str
    verdict: Verdict
    found: str
    wanted: str = ""
    query: str = ""
    observed: bool = False
    evidence: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True)
class Limits:
    """The thresholds; `Settings` says what each means."""

    requests: int
    error_rate: float
    error_margin: float
    latency: float
    latency_ratio: float
    latency_slack: float
    coverage: float
    trace_errors: int


def combine_verdicts(readings: Iterable[GateResult]) -> Verdict:
    """One failing gate fails the whole; one that is inconclusive leaves it open; without any, nobody knows."""
    verdicts = [reading.verdict for reading in readings if not reading.observed]
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    return Verdict.PASS if verdicts and Verdict.INCONCLUSIVE not in verdicts else Verdict.INCONCLUSIVE


def mark_observed(readings: Iterable[GateResult], names: Collection[str]) -> list[GateResult]:
    """Readings of these gates decide nothing any more."""
    return [replace(reading, observed=reading.gate in names) for reading in readings]
