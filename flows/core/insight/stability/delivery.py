"""The four numbers of DORA: deployment frequency, lead time, change failure rate, time to restore.

What they mean here, and where that differs from a survey's question: docs/STABILITY.md.
Source: https://dora.dev/guides/dora-metrics/
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from flows.core.insight.stability.number import (
    DayValue,
    Number,
    NumberVerdict,
    Observation,
    StabilityThresholds,
    behind_of,
    course_of,
    judged_seconds,
    judged_share,
    mean,
    values_by_part,
    worst,
)
from flows.core.insight.stability.rollouts import Rollout
from flows.core.insight.stability.statistics import median, wilson_interval
from flows.core.insight.stability.times import read_moment, seconds_between

_WEEK = 7
# So many commits make a median that one of them alone does not make.
LEADS = 3
_HOUR, _MINUTE = 3600, 60


def deployment_frequency(
    rollouts: Sequence[Rollout], begin: datetime, until: datetime, days: Sequence[str], wanted: StabilityThresholds
) -> Number:
    """Releases a day that clients reached. Without any record nothing is known; with records, none is none."""
    served = [one for one in rollouts if one.deploys and one.serving and begin <= one.serving <= until]
    length = (until - begin).total_seconds() / 86400
    value = len(served) / length if rollouts and length > 0 else None
    limit = wanted.frequency / _WEEK
    verdict: NumberVerdict = "fail" if value is None or value < limit else "pass"
    why = "" if verdict == "pass" else f"{len(served)} in {length:g} days"
    if value is None:
        verdict, why = "not enough data", "no release is on record"
    elif verdict == "fail" and (unknown := sum(one.deploys and not one.serving_known for one in rollouts)):
        verdict, why = "not enough data", f"of {unknown} releases it is not known whether clients reached them"
    seen = [Observation(one.serving, 1.0, one.id) for one in served if one.serving]
    course = tuple(DayValue(day.day, float(day.count), day.count) for day in course_of(seen, days, mean))
    return Number(
        "deployment_frequency", "deployment frequency", "delivery", "per day", value, len(served), "releases", limit,
        f"at least {wanted.frequency:g} a week", verdict, why, None, None, course if rollouts else (), (),
        behind_of(seen),
    )  # fmt: skip


def lead_time(
    rollouts: Sequence[Rollout], begin: datetime, until: datetime, days: Sequence[str], wanted: StabilityThresholds
) -> Number:
    """Seconds from a commit until clients reached it first; the same commit again is not counted again."""
    seen = [one for one in _leads(rollouts, until) if begin <= one.at <= until]
    value, limit = median([one.value for one in seen]), wanted.lead_time * _HOUR
    verdict, why = judged_seconds(value, len(seen), limit, "commits", LEADS)
    return Number(
        "lead_time", "lead time, commit to serving, median", "delivery", "s", value, len(seen), "commits", limit,
        f"at most {wanted.lead_time:g} h", verdict, why, value, None, course_of(seen, days, median), (),
        behind_of(seen), worst(one for one in seen if one.value > limit),
    )  # fmt: skip


def change_failure_rate(
    rollouts: Sequence[Rollout], begin: datetime, until: datetime, days: Sequence[str], wanted: StabilityThresholds
) -> Number:
    """The share of releases that clients reached, or were put where they reach, and that failed there."""
    changes = [one for one in rollouts if is_change(one) and begin <= change_moment(one) <= until]
    seen = [Observation(change_moment(one), float(not one.good), one.id, {"place": one.place}) for one in changes]
    value = mean([one.value for one in seen])
    verdict, why = judged_share(value, len(seen), wanted.change_failures, "changes", wanted.releases, at_most=True)
    return Number(
        "change_failure_rate", "change failure rate", "delivery", "share", value, len(seen), "changes",
        wanted.change_failures, f"at most {wanted.change_failures:.0%}", verdict, why, None,
        wilson_interval(sum(not one.good for one in changes), len(changes)), course_of(seen, days, mean),
        values_by_part(seen, mean, share=True), behind_of(seen), tuple(one.id for one in changes if not one.good),
    )  # fmt: skip


def time_to_restore(
    rollouts: Sequence[Rollout], begin: datetime, until: datetime, days: Sequence[str], wanted: StabilityThresholds
) -> Number:
    """Seconds from the beginning of a rollback until the release before was healthy again, as it was measured.

    Where traffic only had to go back to the other colour, the record of the release that failed says it.
    """
    recent = [one for one in rollouts if begin <= one.began <= until]
    back = [one for one in recent if not one.deploys]
    failed = sum(is_change(one) and not one.good and begin <= change_moment(one) <= until for one in rollouts)
    seen = list(_restored(recent))
    value, limit = median([one.value for one in seen]), wanted.restore * _MINUTE
    verdict, why = judged_seconds(value, len(seen), limit, "measured rollbacks", 1)
    if value is None:
        why = (
            f"{failed} failed changes, {len(back)} rollbacks, none of them measured; 1 would be enough"
            if failed or back
            else "nothing had to be restored"
        )
    return Number(
        "time_to_restore", "time to restore, median", "delivery", "s", value, len(seen), "measured rollbacks", limit,
        f"at most {wanted.restore:g} min", verdict, why, value, None, course_of(seen, days, median),
        values_by_part(seen, median, share=False), behind_of(seen), worst(one for one in seen if one.value > limit),
    )  # fmt: skip


def is_change(one: Rollout) -> bool:
    """Whether a release changed what clients meet, and was judged: with colours once traffic was turned to it."""
    return one.deploys and one.judged and (not one.colours or one.serving is not None)


def change_moment(one: Rollout) -> datetime:
    """When clients met the change: since it serves, or since it was begun where it never came so far."""
    return one.serving or one.began


def _leads(rollouts: Iterable[Rollout], now: datetime) -> Iterator[Observation]:
    first: dict[str, tuple[datetime, Rollout]] = {}
    for one in rollouts:
        if not (one.deploys and one.serving):
            continue
        key = one.first.commit or one.tag
        if key not in first or one.serving < first[key][0]:
            first[key] = (one.serving, one)
    for serving, one in first.values():
        committed = next((r.measured.committed for _, r in one.records if r.measured and r.measured.committed), "")
        took = seconds_between(read_moment(committed, now), serving)
        if took is not None:
            yield Observation(serving, took, one.id)


def _restored(rollouts: Iterable[Rollout]) -> Iterator[Observation]:
    for one in rollouts:
        took = [r.measured.restored_seconds for _, r in one.records if r.measured]
        known = [seconds for seconds in took if seconds is not None and 0 <= seconds < float("inf")]
        if known and one.good is not one.deploys:
            yield Observation(one.began, max(known), one.id, {"place": one.place})
