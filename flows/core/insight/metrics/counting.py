"""Counters of the records of one droplet. None ever falls, whatever becomes of a record: rates are made of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from flows.core.insight.metrics.labels import bounded, plain, seconds_between
from flows.core.records.history import History
from flows.core.records.record import Kind, Record, RecordOutcome

CountedOutcome = Literal["good", "failed", "superseded"]
OUTCOMES: tuple[CountedOutcome, ...] = ("good", "failed", "superseded")
# Seconds of one image's pull: from one that is there already to one of gigabytes over a slow line.
PULL_BUCKETS = (0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_STAGES, _REGISTRIES = 64, 8


@dataclass
class Seconds:
    """How often something was measured, and how long it took in sum."""

    count: int = 0
    sum: float = 0.0

    def add(self, value: float | None) -> None:
        """Count one; what was not measured is not counted."""
        if (number := plain(value)) is not None:
            self.count += 1
            self.sum += number


@dataclass
class Pulls:
    """The pulls from one registry: their seconds as a histogram, and their bytes; None: none was measured."""

    took: Seconds = field(default_factory=Seconds)
    at_most: list[int] = field(default_factory=lambda: [0] * len(PULL_BUCKETS))
    bytes: float | None = None

    def add(self, seconds: float | None, size: float | None) -> None:
        """Count one pull."""
        if (number := plain(seconds)) is not None:
            self.took.add(number)
            self.at_most = [count + (number <= most) for count, most in zip(self.at_most, PULL_BUCKETS, strict=True)]
        if (number := plain(size)) is not None:
            self.bytes = (self.bytes or 0.0) + number


@dataclass(frozen=True)
class Counted:
    """What the records of one droplet add up to.

    Args:
        releases, rollbacks: outcome → how many; what nobody has judged yet is not counted.
        undone: releases that had been good, and failed or were rolled back afterwards.
        durations: outcome → seconds from the beginning of a deploy to its verdict.
        stages: step → seconds.
        lead: seconds from a release's commit to its verdict that it is good.
    """

    releases: Mapping[CountedOutcome, int]
    rollbacks: Mapping[CountedOutcome, int]
    undone: int
    durations: Mapping[CountedOutcome, Seconds]
    stages: Mapping[str, Seconds]
    pulls: Mapping[str, Pulls]
    lock_wait: Seconds
    restored: Seconds
    lead: Seconds


def count_records(history: History) -> Counted:
    """Count what the records of a droplet hold."""
    judged = list(_judged(history))
    counts: dict[Kind, dict[CountedOutcome, int]] = {
        "deploy": dict.fromkeys(OUTCOMES, 0),
        "rollback": dict.fromkeys(OUTCOMES, 0),
    }
    durations = {outcome: Seconds() for outcome in OUTCOMES}
    lock_wait, restored, lead, undone = Seconds(), Seconds(), Seconds(), 0
    for record, outcome in judged:
        measured, when = record.measured, record.judged or record.ended
        counts[record.kind][outcome] += 1
        undone += outcome == "good" and record.outcome is not RecordOutcome.GOOD
        lock_wait.add(measured.lock_seconds if measured else None)
        if record.kind == "rollback":
            restored.add(measured.restored_seconds if measured else None)
            continue
        durations[outcome].add(seconds_between(record.began, when))
        if measured and outcome == "good":
            lead.add(seconds_between(measured.committed, when))
    records = [record for record, _ in judged]
    return Counted(
        releases=counts["deploy"],
        rollbacks=counts["rollback"],
        undone=undone,
        durations=durations,
        stages=_stages(records),
        pulls=_pulls(records),
        lock_wait=lock_wait,
        restored=restored,
        lead=lead,
    )


def first_verdict(record: Record) -> CountedOutcome:
    """The first verdict on a record: what was good counts as that, whatever became of it."""
    if record.outcome is RecordOutcome.GOOD or record.was_good:
        return "good"
    if record.outcome is RecordOutcome.SUPERSEDED:
        return "superseded"
    # Records of before do not say what they were; those that failed have a reason.
    return "good" if record.outcome is RecordOutcome.ROLLED_BACK and not record.reason else "failed"


def _judged(history: History) -> Iterator[tuple[Record, CountedOutcome]]:
    """The records that were judged. A superseded one that a rollback leaves has failed."""
    waiting = history.unfinished.number if history.unfinished else None
    left = {record.leaves for record in history.records if record.kind == "rollback"}
    for record in history.records:
        if record.open or record.number == waiting:
            continue
        outcome = first_verdict(record)
        yield record, "failed" if outcome == "superseded" and record.number in left else outcome


def _stages(records: Iterable[Record]) -> dict[str, Seconds]:
    """Step → seconds, those of building and pushing among them."""
    found: dict[str, Seconds] = {}
    took = [(step, seconds) for record in records for step, seconds in _steps(record).items()]
    names = bounded((step for step, _ in took), _STAGES)
    for step, seconds in took:
        found.setdefault(names[step], Seconds()).add(seconds)
    return {stage: said for stage, said in found.items() if said.count}


def _steps(record: Record) -> Mapping[str, float]:
    if not record.measured:
        return {}
    build = record.measured.build
    made = {"build images": build.build_seconds, "push images": build.push_seconds} if build else {}
    return {**{step: seconds for step, seconds in made.items() if seconds is not None}, **record.measured.steps}


def _pulls(records: Iterable[Record]) -> dict[str, Pulls]:
    """Registry → what was pulled from it."""
    found: dict[str, Pulls] = {}
    pulls = [pull for record in records if record.measured for pull in record.measured.pulls or ()]
    names = bounded((pull.registry for pull in pulls), _REGISTRIES)
    for pull in pulls:
        found.setdefault(names[pull.registry], Pulls()).add(pull.seconds, pull.bytes)
    return found
