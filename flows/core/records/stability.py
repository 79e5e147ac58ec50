"""The stability of the active release, by its records: whether its replacement may be rehearsed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flows.core.records.record import Record, RecordOutcome


@dataclass(frozen=True)
class StabilityLimits:
    """The thresholds: days, share of good releases, and how many rollbacks and failed gates are allowed."""

    days: float
    success_rate: float
    rollbacks: int
    gate_failures: int


@dataclass(frozen=True)
class Stability:
    """The stability over a time: counts from the records. `reasons` says why it is not stable; empty: it is."""

    release: str
    days: float
    releases: int
    good: int
    rollbacks: int
    gate_failures: int
    reasons: tuple[str, ...]

    @property
    def stable(self) -> bool:
        return not self.reasons

    @property
    def sentence(self) -> str:
        """The counts in one sentence."""
        return (
            f"release {self.release or 'none'} is active for {self.days:.1f} days; in that time {self.releases} "
            f"releases, {self.good} of them good, {self.rollbacks} rollbacks, {self.gate_failures} failed gates"
        )


def judge_stability(histories: Mapping[str, Sequence[Record]], wanted: StabilityLimits, now: datetime) -> Stability:
    """Judge the stability by the records of all droplets of the active colour.

    Args:
        histories: droplet → its records, oldest first.
    """
    begins = now - timedelta(days=wanted.days)
    recent = [r for records in histories.values() for r in records if _at(r.began) >= begins]
    deploys = [r for r in recent if r.kind == "deploy" and r.outcome is not RecordOutcome.SUPERSEDED]
    good = sum(r.outcome is RecordOutcome.GOOD for r in deploys)
    failed = sum(r.outcome is RecordOutcome.FAILED and "gate" in (r.reason or "") for r in recent)
    rollbacks = sum(r.kind == "rollback" for r in recent)
    newest = [records[-1] for records in histories.values() if records]
    age = min(((now - _at(r.began)).total_seconds() / 86400 for r in newest), default=0.0)
    reasons = []
    if not newest or any(r.outcome is not RecordOutcome.GOOD for r in newest):
        reasons.append("what runs is not on record as good")
    if age < wanted.days:
        reasons.append(f"it runs for {age:.1f} days, wanted are {wanted.days:g}")
    if deploys and good / len(deploys) < wanted.success_rate:
        reasons.append(f"{good} of {len(deploys)} releases were good, wanted are {wanted.success_rate:.0%}")
    if rollbacks > wanted.rollbacks:
        reasons.append(f"{rollbacks} rollbacks, at most {wanted.rollbacks} are allowed")
    if failed > wanted.gate_failures:
        reasons.append(f"{failed} failed gates, at most {wanted.gate_failures} are allowed")
    tag = newest[0].tag if newest else ""
    return Stability(tag, age, len(deploys), good, rollbacks, failed, tuple(reasons))


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
