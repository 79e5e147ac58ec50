"""The condition of a rehearsal, and of a promotion that waits for it: has the active release been stable?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flows.core.insight.stability.rollouts import read_rollouts
from flows.core.insight.stability.times import read_moment
from flows.core.records.history import History
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
    """The stability of the active release: counts from the records. `reasons` says why it is not stable."""

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
    """Judge the stability by the records of all droplets of the active colour. A release counts once, however many.

    Args:
        histories: droplet → its records, oldest first.
    """
    one_place = {droplet: History(tuple(records)) for droplet, records in histories.items()}
    told = read_rollouts(one_place, lambda _: "active", now, switched=False)
    recent = told.since(now - timedelta(days=wanted.days), now + timedelta(days=1))
    deploys = [one for one in recent if one.deploys and one.outcome is not RecordOutcome.SUPERSEDED]
    good = sum(one.good for one in deploys)
    failed = sum(one.outcome is RecordOutcome.FAILED and "gate" in one.reason for one in recent)
    rollbacks = sum(not one.deploys for one in recent)
    newest = [records[-1] for records in histories.values() if records]
    ages = [_age(record, now) for record in newest]
    age = min((days for days in ages if days is not None), default=0.0)
    reasons = []
    if not newest or any(r.outcome is not RecordOutcome.GOOD for r in newest):
        reasons.append("what runs is not on record as good")
    if None in ages:
        reasons.append("the time of its record cannot be (before 1970, in the future, or none)")
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


def _age(record: Record, now: datetime) -> float | None:
    """Days since a record began, or since traffic was turned to its release; None: its clock was wrong."""
    began = read_moment(record.began, now)
    turned = read_moment(record.measured.turn.at, now) if record.measured and record.measured.turn else None
    since = max((at for at in (began, turned) if at), default=None)
    return max(0.0, (now - since).total_seconds() / 86400) if since and began else None
