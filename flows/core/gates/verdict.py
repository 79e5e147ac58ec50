"""The three verdicts, the result of one gate, and how results make one decision."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal

# What runs must be what the release says, whatever anybody sets: `digests` is not among these.
Observable = Literal[
    "order", "health", "tools", "workflows", "data home", "traces", "trace errors", "error rate", "latency"
]


class Verdict(Enum):
    """The three verdicts of a gate."""

    PASS = "pass"  # noqa: S105 — a verdict
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class GateResult:
    """The result of one gate, read once.

    Args:
        found: the numbers, in words.
        wanted: the threshold, in words.
        query: what was asked to find it, word for word.
        observed: whether it is only shown, and decides nothing.
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
    """The thresholds of the gates; `Settings` describes each."""

    requests: int
    error_rate: float
    error_margin: float
    latency: float
    latency_ratio: float
    latency_slack: float
    coverage: float
    trace_errors: int


def combine_verdicts(readings: Iterable[GateResult]) -> Verdict:
    """The verdict over all gates: fail where one fails, pass where all pass, else inconclusive."""
    verdicts = [reading.verdict for reading in readings if not reading.observed]
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    return Verdict.PASS if verdicts and Verdict.INCONCLUSIVE not in verdicts else Verdict.INCONCLUSIVE


def mark_observed(readings: Iterable[GateResult], names: Collection[str]) -> list[GateResult]:
    """The results, those of the named gates marked as observed: they decide nothing any more."""
    return [replace(reading, observed=reading.gate in names) for reading in readings]
