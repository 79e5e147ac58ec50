"""What runs saw, as the measurements of a record."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

from flows.core.gates.probes import Phase, ProbeResult
from flows.core.gates.verdict import GateResult
from flows.core.records.measurements import BuildTimes, GateNumbers, ProbeTime, ProbeVerdict, Pull, Turn
from flows.core.registry.references import split_host
from flows.core.release.release import Release

_MILLI = 3


def build_times(
    release: Release, made: Collection[str], previous: Release | None, steps: Mapping[str, float]
) -> BuildTimes:
    """What building and pushing this release took.

    Args:
        made: the references, by digest, of the images that were built.
        previous: the release that was published before it.
        steps: name of a step → seconds.
    """
    before = set(previous.images) if previous else set()
    there = {layer.digest for image in (previous.images.values() if previous else ()) for layer in image.layers}
    layers = {layer.digest: layer.size for reference in made for layer in release.images[reference].layers}
    return BuildTimes(
        build_seconds=steps.get("build images"),
        push_seconds=steps.get("push images"),
        images=len(made),
        pushed=len(set(made) - before),
        pushed_bytes=sum(size for digest, size in layers.items() if digest not in there),
        layers_found=sum(digest in there for digest in layers),
    )


def pull_times(
    release: Release, previous: Release | None, seconds: Mapping[str, float | None], ahead: Collection[str] = ()
) -> tuple[Pull, ...]:
    """The pulls of images of this release onto one droplet, each layer's bytes at the first image that brings it.

    Args:
        previous: the release that the droplet ran until then.
        seconds: reference → how long its pull took, of all that were pulled.
        ahead: those of them that were pulled while others were still being pushed.
    """
    there = {layer.digest for image in (previous.images.values() if previous else ()) for layer in image.layers}
    pulls = []
    for reference in sorted(seconds):
        if reference not in release.images:
            continue
        new = {one.digest: one.size for one in release.images[reference].layers if one.digest not in there}
        there |= new.keys()
        took, host = seconds[reference], split_host(reference)[0]
        pulls.append(
            Pull(image=reference, registry=host, seconds=took, bytes=sum(new.values()), ahead=reference in ahead)
        )
    return tuple(pulls)


def probe_times(outcomes: Iterable[ProbeResult]) -> tuple[ProbeTime, ...]:
    """Each probe with its verdict and seconds."""
    return tuple(
        ProbeTime(service=o.name, phase=o.phase.value, verdict=_verdict(o), seconds=round(o.seconds, _MILLI))
        for o in outcomes
    )


def agents_traced(outcomes: Iterable[ProbeResult]) -> dict[str, bool | None]:
    """Service whose workflow should leave a trace → whether it was found; None where nobody could say."""
    seen = list(outcomes)
    agents: dict[str, bool | None] = {o.service: None for o in seen if o.phase is Phase.WORKFLOW and o.traced}
    return agents | {o.service: o.passed if o.known else None for o in seen if o.phase is Phase.TRACE}


def gate_numbers(readings: Iterable[GateResult]) -> tuple[GateNumbers, ...]:
    """The gates as they were read, with their numbers and queries."""
    return tuple(
        GateNumbers(
            gate=one.gate, verdict=one.verdict.value, found=one.found, wanted=one.wanted, query=one.query,
            observed=one.observed,
        )
        for one in readings
    )  # fmt: skip


def turn_to(
    colour: str, previous: str, decided_at: float, *, turned: float, seen: float, watched: float, approved_by: str
) -> Turn:
    """How traffic came to a release.

    Args:
        decided_at: seconds since the epoch.
        turned, seen, watched: seconds.
    """
    return Turn(
        colour=colour, previous=previous, at=datetime.fromtimestamp(decided_at, UTC).isoformat(timespec="seconds"),
        turned_seconds=round(turned, _MILLI), seen_seconds=round(seen, _MILLI),
        watched_seconds=round(watched, _MILLI), approved_by=approved_by,
    )  # fmt: skip


def _verdict(outcome: ProbeResult) -> ProbeVerdict:
    return "pass" if outcome.passed else "fail" if outcome.failed else "inconclusive"
