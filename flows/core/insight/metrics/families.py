"""The metrics that `slipway metrics` serves: every name, what it means, and how it is made of what droplets say."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)

from flows.core.insight.drift import DriftFinding
from flows.core.insight.metrics.counting import PULL_BUCKETS, Seconds, count_records
from flows.core.insight.metrics.droplet import DropletLook
from flows.core.insight.metrics.labels import label, timestamp
from flows.core.records.history import History
from flows.core.traffic.colours import COLOURS

T = TypeVar("T")
Labels = tuple[str, ...]
WHERE: Labels = ("stack", "destination")
AT: Labels = (*WHERE, "droplet")
DRIFT_KINDS = ("containers", "configuration", "files")
_VERDICTS = ("pass", "fail", "inconclusive")
_GATES, _AGENTS = 32, 64

# Name → its type, its labels, and what it means. Names, labels and meanings stay; new ones may come.
GAUGES: Mapping[str, tuple[Labels, str]] = {
    "slipway_prefect_up": (WHERE, "Whether Prefect's API, which has the blocks of droplets, answered"),
    "slipway_droplet_up": (AT, "Whether the droplet answered in time when it was last asked"),
    "slipway_look_timestamp_seconds": (AT, "When the droplet was asked what is told of it here"),
    "slipway_release_info": ((*AT, "colour", "tag", "commit"), "The release that is current on the droplet; always 1"),
    "slipway_last_good_release_timestamp_seconds": (AT, "When the newest release that is good was judged so"),
    "slipway_gate_verdict": (
        (*AT, "gate", "observed", "verdict"),
        "1 for the verdict of a gate when it was last read for the current release, 0 for the other two",
    ),
    "slipway_agent_traced": ((*AT, "service"), "Whether the trace of this agent's probe was found"),
    "slipway_lock_held": (AT, "Whether a run holds the droplet's lock"),
    "slipway_asleep": (AT, "Whether the release there was put to sleep"),
    "slipway_records_damaged": (AT, "Release records that cannot be read, and are in no counter"),
    "slipway_traffic_ratio": ((*WHERE, "colour"), "Share of the clients that the traffic switch sends to a colour"),
    "slipway_drift": ((*AT, "kind"), "Differences between what is on the droplet and what was put there"),
    "slipway_drift_timestamp_seconds": (AT, "When the droplet was last looked at for drift"),
}
COUNTERS: Mapping[str, tuple[Labels, str]] = {
    "slipway_releases": ((*AT, "outcome"), "Releases that were put on the droplet, by their first verdict"),
    "slipway_rollbacks": ((*AT, "outcome"), "Rollbacks on the droplet, by their first verdict"),
    "slipway_releases_undone": (AT, "Releases that had been good, and failed or were rolled back afterwards"),
    "slipway_pull_bytes": ((*AT, "registry"), "Compressed bytes of the layers that the droplet pulled"),
}
SUMMARIES: Mapping[str, tuple[Labels, str]] = {
    "slipway_release_seconds": ((*AT, "outcome"), "From the beginning of a deploy to its first verdict"),
    "slipway_stage_seconds": ((*AT, "stage"), "What a step of a release took, its retries included"),
    "slipway_lock_wait_seconds": (AT, "What a release waited for the droplet's lock"),
    "slipway_restore_seconds": (AT, "From the beginning of a rollback until the services were healthy again"),
    "slipway_lead_time_seconds": (AT, "From a release's commit to the verdict that it is good"),
}
HISTOGRAMS: Mapping[str, tuple[Labels, str]] = {
    "slipway_pull_seconds": ((*AT, "registry"), "The pull of one image onto the droplet"),
}


@dataclass(frozen=True)
class DropletFacts:
    """What is known of one droplet.

    Args:
        look: None where it did not answer in time.
        looked: when it was asked; seconds since the epoch.
        drift, drifted: what a look for drift found, and when; None where none ended yet, or could be made.
    """

    colour: str = ""
    look: DropletLook | None = None
    looked: float | None = None
    drift: Sequence[DriftFinding] | None = None
    drifted: float | None = None


@dataclass(frozen=True)
class MetricFacts:
    """All that is known when metrics are asked for.

    Args:
        prefect: whether Prefect's API answered.
        droplets: name of the droplet, or of the place on it → what is known of it.
        active: the colours that traffic reaches; None: nobody knows.
        shares: colour → percent of the clients, while a canary divides them.
    """

    stack: str
    destination: str = ""
    prefect: bool = True
    droplets: Mapping[str, DropletFacts] = field(default_factory=dict)
    active: Collection[str] | None = None
    shares: Mapping[str, int] = field(default_factory=dict)


def metrics(facts: MetricFacts, versions: Mapping[str, str]) -> list[Metric]:
    """Every metric of which something is known. What is not known is left out, and is never 0.

    Args:
        versions: of what serves them.
    """
    made = _Families()
    where = (label(facts.stack), label(facts.destination))
    made.gauge("slipway_prefect_up", where, facts.prefect)
    for colour, ratio in _ratios(facts):
        made.gauge("slipway_traffic_ratio", (*where, label(colour)), ratio)
    for droplet, said in facts.droplets.items():
        _droplet(made, (*where, label(droplet)), said)
    told = {name: label(version) for name, version in versions.items()}
    return [InfoMetricFamily("slipway_build", "What serves these metrics", told), *made.found.values()]


class _Families:
    def __init__(self) -> None:
        self.found: dict[str, Metric] = {}

    def gauge(self, name: str, labels: Labels, value: float | None) -> None:
        if value is not None:
            self._family(GaugeMetricFamily, name, GAUGES).add_metric(labels, float(value))

    def counter(self, name: str, labels: Labels, value: float | None) -> None:
        if value is not None:
            self._family(CounterMetricFamily, name, COUNTERS).add_metric(labels, float(value))

    def summary(self, name: str, labels: Labels, value: Seconds) -> None:
        if value.count:
            self._family(SummaryMetricFamily, name, SUMMARIES).add_metric(labels, value.count, value.sum)

    def histogram(self, name: str, labels: Labels, value: Seconds, at_most: Sequence[int]) -> None:
        if value.count:
            counts = [(str(most), float(count)) for most, count in zip(PULL_BUCKETS, at_most, strict=True)]
            buckets = [*counts, ("+Inf", float(value.count))]
            self._family(HistogramMetricFamily, name, HISTOGRAMS).add_metric(labels, buckets, value.sum)

    def _family(self, kind: Any, name: str, known: Mapping[str, tuple[Labels, str]]) -> Any:
        if name not in self.found:
            labels, means = known[name]
            self.found[name] = kind(name, means, labels=labels)
        return self.found[name]


def _ratios(facts: MetricFacts) -> Iterator[tuple[str, float]]:
    """Colour → its share, while exactly one is active; a canary's is taken from it."""
    if facts.active is None or len(facts.active) != 1:
        return
    (active,) = facts.active
    shared = {colour: percent / 100 for colour, percent in facts.shares.items() if colour != active}
    yield active, 1 - sum(shared.values())
    yield from ((colour, shared.get(colour, 0.0)) for colour in COLOURS if active in COLOURS and colour != active)


def _droplet(made: _Families, at: Labels, said: DropletFacts) -> None:
    made.gauge("slipway_droplet_up", at, said.look is not None)
    made.gauge("slipway_look_timestamp_seconds", at, said.looked)
    _drift(made, at, said)
    if said.look is None:
        return
    made.gauge("slipway_lock_held", at, said.look.locked)
    if (release := said.look.release) is not None:
        told = tuple(label(text or "") for text in (said.colour, release.tag, release.commit))
        made.gauge("slipway_release_info", (*at, *told), 1)
    if (history := said.look.history) is not None:
        made.gauge("slipway_asleep", at, said.look.asleep)
        _records(made, at, history)
        _current(made, at, history)


def _drift(made: _Families, at: Labels, said: DropletFacts) -> None:
    """A droplet that could not be looked at has neither drifted, nor has it not."""
    if said.drift is None or any(finding.kind == "unknown" for finding in said.drift):
        return
    made.gauge("slipway_drift_timestamp_seconds", at, said.drifted)
    for kind in DRIFT_KINDS:
        made.gauge("slipway_drift", (*at, kind), sum(finding.kind == kind for finding in said.drift))


def _records(made: _Families, at: Labels, history: History) -> None:
    """What the records add up to."""
    counted = count_records(history)
    made.gauge("slipway_records_damaged", at, len(history.damaged))
    made.counter("slipway_releases_undone", at, counted.undone)
    for outcome, count in counted.releases.items():
        made.counter("slipway_releases", (*at, outcome), count)
        made.counter("slipway_rollbacks", (*at, outcome), counted.rollbacks[outcome])
        made.summary("slipway_release_seconds", (*at, outcome), counted.durations[outcome])
    for stage, seconds in counted.stages.items():
        made.summary("slipway_stage_seconds", (*at, stage), seconds)
    for registry, pulls in counted.pulls.items():
        made.histogram("slipway_pull_seconds", (*at, registry), pulls.took, pulls.at_most)
        made.counter("slipway_pull_bytes", (*at, registry), pulls.bytes)
    made.summary("slipway_lock_wait_seconds", at, counted.lock_wait)
    made.summary("slipway_restore_seconds", at, counted.restored)
    made.summary("slipway_lead_time_seconds", at, counted.lead)


def _current(made: _Families, at: Labels, history: History) -> None:
    """What the records say of the release that is current, and of the last one that is good."""
    if good := history.last_known_good():
        made.gauge("slipway_last_good_release_timestamp_seconds", at, timestamp(good.ended))
    measured = current.measured if (current := history.deployed()) else None
    if not measured:
        return
    for gate in _most({label(gate.gate): gate for gate in measured.gates}, _GATES):
        for verdict in _VERDICTS:
            told = (label(gate.gate), str(gate.observed).lower(), verdict)
            made.gauge("slipway_gate_verdict", (*at, *told), gate.verdict == verdict)
    for service, traced in _most({label(name): (name, found) for name, found in measured.agents.items()}, _AGENTS):
        made.gauge("slipway_agent_traced", (*at, label(service)), traced)


def _most(known: Mapping[str, T], most: int) -> Sequence[T]:
    return list(known.values())[:most]
