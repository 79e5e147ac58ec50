"""The numbers of the runbook that records hold: pull latency, rollout success and trace coverage."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from flows.core.insight.stability.number import (
    Number,
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
from flows.core.insight.stability.statistics import median, percentile_95, wilson_interval
from flows.core.records.measurements import Measurements
from flows.core.registry.references import split_host, split_reference

# Below that many, the 95th percentile is the largest value.
PULLS = 20


def pull_latency(rollouts: Sequence[Rollout], days: Sequence[str], wanted: StabilityThresholds) -> Number:
    """Seconds of each image that had to be pulled: median and 95th percentile, per image, registry and droplet.

    A pull that brought nothing, because the droplet had every layer, says nothing of the registry, and is left out.
    """
    seen = list(_pulls(rollouts))
    values = [one.value for one in seen]
    value = percentile_95(values)
    verdict, why = judged_seconds(value, len(seen), wanted.pull, "pulls", PULLS)
    slow = worst(one for one in seen if one.value > wanted.pull)
    return Number(
        "pull_latency", "image pull latency, 95th percentile", "runbook", "s", value, len(seen), "pulls", wanted.pull,
        f"at most {wanted.pull:g} s", verdict, why, median(values), None, course_of(seen, days, percentile_95),
        values_by_part(seen, percentile_95, share=False), behind_of(seen), slow,
    )  # fmt: skip


def rollout_success(rollouts: Sequence[Rollout], days: Sequence[str], wanted: StabilityThresholds) -> Number:
    """The share of rollouts that ended good, and of each agent those in which each of its probes passed."""
    counted = [one for one in rollouts if one.deploys and one.judged]
    seen = [Observation(one.began, float(one.good), one.id, {"place": one.place}) for one in counted]
    value = mean([one.value for one in seen])
    verdict, why = judged_share(value, len(seen), wanted.success, "releases", wanted.releases)
    interval = wilson_interval(sum(one.good for one in counted), len(counted))
    agents = [probe for one in counted for probe in _probed(one)]
    parts = (*values_by_part(seen, mean, share=True), *values_by_part(agents, mean, share=True))
    return Number(
        "rollout_success", "rollout success rate", "runbook", "share", value, len(seen), "releases", wanted.success,
        f"at least {wanted.success:.0%}", verdict, why, None, interval, course_of(seen, days, mean), parts,
        behind_of(seen), tuple(one.id for one in counted if not one.good),
    )  # fmt: skip


def trace_coverage(rollouts: Sequence[Rollout], days: Sequence[str], wanted: StabilityThresholds) -> Number:
    """The share of traced workflows whose trace was found, per agent. What nobody could say is not counted."""
    seen = list(_every(rollouts, _traces))
    value = mean([one.value for one in seen])
    verdict, why = judged_share(value, len(seen), wanted.coverage, "traced workflows", wanted.releases)
    interval = wilson_interval(round(sum(one.value for one in seen)), len(seen))
    return Number(
        "trace_coverage", "trace coverage", "runbook", "share", value, len(seen), "traced workflows", wanted.coverage,
        f"at least {wanted.coverage:.0%}", verdict, why, None, interval, course_of(seen, days, mean),
        values_by_part(seen, mean, share=True), behind_of(seen), behind_of(one for one in seen if not one.value),
    )  # fmt: skip


def image_name(image: str) -> str:
    """An image's name without registry and digest: `namespace/agent`."""
    return split_host(split_reference(image.partition("@")[0])[0])[1]


def _pulls(rollouts: Iterable[Rollout]) -> Iterator[Observation]:
    for one in rollouts:
        for droplet, record in one.records:
            for pull in (record.measured.pulls or ()) if record.measured else ():
                if pull.seconds is not None and 0 <= pull.seconds < float("inf") and pull.bytes != 0:
                    parts = {"image": image_name(pull.image), "registry": pull.registry or "unknown"}
                    yield Observation(one.began, pull.seconds, one.id, {**parts, "droplet": droplet})


def _every(
    rollouts: Iterable[Rollout], of: Callable[[Rollout, str, Measurements], Iterator[Observation]]
) -> Iterator[Observation]:
    for one in rollouts:
        for droplet, record in one.records:
            if record.measured:
                yield from of(one, droplet, record.measured)


def _traces(one: Rollout, droplet: str, measured: Measurements) -> Iterator[Observation]:
    for agent, found in measured.agents.items():
        if found is not None:
            yield Observation(one.began, float(found), one.id, {"agent": agent, "droplet": droplet})


def _probed(one: Rollout) -> Iterator[Observation]:
    """Of each agent whose probes said something: whether none of them failed."""
    verdicts: dict[str, bool] = {}
    for _, record in one.records:
        for probe in record.measured.probes if record.measured else ():
            if probe.verdict != "inconclusive":
                verdicts[probe.service] = verdicts.get(probe.service, True) and probe.verdict == "pass"
    for agent, well in verdicts.items():
        yield Observation(one.began, float(well), one.id, {"agent": agent})
