"""The stability report of one destination: its numbers, and the releases, failures and remarks behind them."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from flows.core.insight.stability.condition import Stability, StabilityLimits, judge_stability
from flows.core.insight.stability.delivery import (
    change_failure_rate,
    deployment_frequency,
    lead_time,
    time_to_restore,
)
from flows.core.insight.stability.number import Number, StabilityThresholds, days_of
from flows.core.insight.stability.requests import (
    BeforeAfter,
    RequestCourse,
    RequestHistory,
    before_and_after,
    error_rate_number,
    latency_number,
    request_course,
)
from flows.core.insight.stability.rollouts import Rollout, read_rollouts
from flows.core.insight.stability.runbook import pull_latency, rollout_success, trace_coverage
from flows.core.insight.stability.stories import FailureStory, failure_stories
from flows.core.insight.stability.times import told_moment
from flows.core.insight.stability.words import web_address
from flows.core.records.history import History

FORMAT = 1


@dataclass(frozen=True)
class StabilitySources:
    """What a report is made of.

    Args:
        histories: droplet → what it remembers.
        place_of: droplet → its colour; None for one that has none.
        active: the colours that traffic reaches; None: there is no switch, or nobody knows.
        switched: whether there is a traffic switch.
        away: what could not be asked, in sentences.
    """

    histories: Mapping[str, History]
    place_of: Callable[[str], str | None]
    requests: RequestHistory
    active: tuple[str, ...] | None = None
    switched: bool = False
    away: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReleaseRow:
    """One rollout as the report lists it; times are ISO 8601, '' if unknown."""

    id: str
    what: str
    tag: str
    commit: str
    place: str
    droplets: tuple[str, ...]
    began: str
    serving: str
    outcome: str
    measured: bool
    by: str
    run: str
    run_id: str
    url: str


@dataclass(frozen=True)
class StabilityReport:
    """How stable a destination was.

    Args:
        begin, until: the time that is looked at; ISO 8601, UTC.
        condition: whether the active release was stable for long enough, as a rehearsal asks.
        remarks: what is not known, and why, in sentences.
        made: the records were made for show, and nobody released anything.
    """

    stack: str
    destination: str
    days: float
    begin: str
    until: str
    active: tuple[str, ...] | None
    numbers: tuple[Number, ...]
    releases: tuple[ReleaseRow, ...]
    changes: tuple[BeforeAfter, ...]
    course: tuple[RequestCourse, ...]
    stories: tuple[FailureStory, ...]
    condition: Stability
    remarks: tuple[str, ...]
    queries: tuple[str, ...] = ()
    made: bool = False

    @property
    def sentence(self) -> str:
        """How many numbers pass, in one sentence."""
        verdicts: list[str] = [number.verdict for number in self.numbers]
        words = [f"{verdicts.count(v)} {w}" for v, w in (("pass", "pass"), ("fail", "fail")) if verdicts.count(v)]
        if unknown := verdicts.count("not enough data"):
            words.append(f"{unknown} have not enough data")
        where = f" ({self.destination})" if self.destination else ""
        return (
            f"Stability of {self.stack}{where} over {self.days:g} days: of {len(verdicts)} numbers {', '.join(words)}"
        )

    def as_json(self) -> dict[str, Any]:
        """The report as JSON."""
        return {"format": FORMAT, "sentence": self.sentence, "stable": self.condition.stable, **asdict(self)}


def stability_report(
    stack: str,
    destination: str,
    sources: StabilitySources,
    *,
    days: float,
    now: datetime,
    thresholds: StabilityThresholds,
    limits: StabilityLimits,
    made: bool = False,
) -> StabilityReport:
    """Make the report.

    Args:
        days: how many of them, up to now.
        now: with a time zone.
        thresholds: of the numbers.
        limits: of the condition of a rehearsal.
    """
    begin, told = now - timedelta(days=days), read_rollouts(
        sources.histories, sources.place_of, now, switched=sources.switched
    )  # fmt: skip
    recent, dates = told.since(begin, now + timedelta(days=1)), days_of(begin, now)
    changes = before_and_after(told.all, sources.requests, begin, thresholds)
    numbers = (
        pull_latency(recent, dates, thresholds),
        rollout_success(recent, dates, thresholds),
        trace_coverage(recent, dates, thresholds),
        error_rate_number(sources.requests, dates, thresholds, changes),
        latency_number(sources.requests, dates, thresholds, changes),
        deployment_frequency(told.all, begin, now, dates, thresholds),
        lead_time(told.all, begin, now, dates, thresholds),
        change_failure_rate(told.all, begin, now, dates, thresholds),
        time_to_restore(told.all, begin, now, dates, thresholds),
    )
    active = [d for d in sources.histories if not sources.active or sources.place_of(d) in sources.active]
    condition = judge_stability({name: sources.histories[name].records for name in active}, limits, now)
    shown = {one.id for one in recent} | {name for number in numbers for name in number.behind}
    listed = [one for one in told.all if one.id in shown]
    remarks = (*sources.away, *_unknown(recent), *told.remarks)
    if sources.requests.trouble:
        remarks = (sources.requests.trouble, *remarks)
    return StabilityReport(
        stack, destination, days, told_moment(begin), told_moment(now), sources.active, numbers,
        tuple(_row(one) for one in reversed(listed)), changes[::-1],
        request_course(sources.requests, begin, now), failure_stories(recent, told.all), condition,
        remarks, sources.requests.queries, made,
    )  # fmt: skip


def _unknown(recent: tuple[Rollout, ...]) -> list[str]:
    found = []
    old = sum(all(record.measured is None for _, record in one.records) for one in recent)
    if old:
        found.append(
            f"{old} of {len(recent)} rollouts are of a version that measured nothing: their pulls, probes, traces and "
            "commits are unknown, and counted nowhere"
        )
    if open_ones := sum(one.outcome.value == "candidate" for one in recent):
        found.append(
            f"{open_ones} of {len(recent)} rollouts are not judged yet, and counted neither as good nor as failed"
        )
    if superseded := sum(one.outcome.value == "superseded" for one in recent):
        found.append(
            f"{superseded} of {len(recent)} rollouts were superseded before anybody judged them, and are not counted"
        )
    return found


def _row(one: Rollout) -> ReleaseRow:
    return ReleaseRow(
        one.id, one.first.kind, one.tag, one.first.commit or "", one.place,
        tuple(dict.fromkeys(droplet for droplet, _ in one.records)), told_moment(one.began), told_moment(one.serving),
        one.outcome.value, any(record.measured for _, record in one.records), one.run.by, one.run.name, one.run.id,
        web_address(one.run.url),
    )  # fmt: skip
