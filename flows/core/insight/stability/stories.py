"""The story of each release that failed: what failed, its last words, and what ran afterwards."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flows.core.insight.stability.rollouts import Rollout, by_place
from flows.core.insight.stability.times import told_moment
from flows.core.records.measurements import Measurements
from flows.core.records.record import RecordOutcome

_MOST = 8


@dataclass(frozen=True)
class FailureStory:
    """One release that did not hold.

    Args:
        failed: each gate and probe that did not pass, with what it found and what was wanted.
        words: the reason in its record: the last words of the run.
        afterwards: what came after it on its place, in a sentence.
    """

    rollout: str
    tag: str
    place: str
    at: str
    outcome: str
    failed: tuple[str, ...]
    words: str
    afterwards: str


def failure_stories(rollouts: Sequence[Rollout], told: Sequence[Rollout]) -> tuple[FailureStory, ...]:
    """The stories of those that failed or were rolled back, the newest first.

    Args:
        rollouts: those of the time that is looked at.
        told: all, also those of before and after, to find what came next.
    """
    following = _following(told)
    return tuple(
        FailureStory(
            one.id, one.tag, one.place, told_moment(one.began), one.outcome.value, _failed(one), one.reason,
            _afterwards(one, following.get(one.id)),
        )
        for one in reversed(rollouts)
        if one.outcome in (RecordOutcome.FAILED, RecordOutcome.ROLLED_BACK)
    )  # fmt: skip


def _following(told: Sequence[Rollout]) -> Mapping[str, Rollout]:
    pairs = (pair for mine in by_place(told).values() for pair in itertools.pairwise(mine))
    return {one.id: later for one, later in pairs}


def _failed(one: Rollout) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for _, record in one.records:
        for words in _of(record.measured) if record.measured else ():
            found[words] = None
    listed = list(found)
    more = (f"and {len(listed) - _MOST} more",) if len(listed) > _MOST else ()
    return (*listed[:_MOST], *more)


def _of(measured: Measurements) -> list[str]:
    gates = [
        f"gate {gate.gate}: {gate.found or gate.verdict}" + (f", wanted: {gate.wanted}" if gate.wanted else "")
        for gate in measured.gates
        if gate.verdict == "fail" and not gate.observed
    ]
    return gates + [f"{probe.service}: {probe.phase} failed" for probe in measured.probes if probe.verdict == "fail"]


def _afterwards(one: Rollout, later: Rollout | None) -> str:
    if later is None:
        previous = one.turn.previous if one.turn else ""
        stays = f"; traffic had come from {previous}" if previous else ""
        return f"nothing was put on {one.place} since{stays}"
    when, outcome = f"{told_moment(later.began)[:16].replace('T', ' ')} UTC", later.outcome.value
    if later.deploys:
        return f"release {later.tag} was put there at {when}: {outcome}"
    restored = next((r.measured.restored_seconds for _, r in later.records if r.measured), None)
    took = f", healthy after {restored:.1f} s" if restored is not None else ""
    return f"rolled back to {later.tag} at {when}: {outcome}{took}"
