"""The plan of a deploy: what would be pulled, replaced, restarted, removed and left alone, and how long it took."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, Literal

from flows.core.deploy.facts import Facts
from flows.core.deploy.plan.changes import ServiceChange, compare, differs, service_changes
from flows.core.deploy.plan.readings import Coming, Standing
from flows.core.deploy.preflight import layers_there, missing_images
from flows.core.records.history import History
from flows.core.release.release import Release
from flows.core.steps import Step

_LAST = 5
# Steps whose seconds are told one by one, where records say them.
_TOLD = (Step.PULL, Step.START, Step.WAIT)


@dataclass(frozen=True)
class PlannedPull:
    """One image that the droplet does not have: bytes to pull, and how many of its layers are there."""

    image: str
    bytes: int
    layers: int
    there: int

    def as_json(self) -> dict[str, Any]:
        return {"image": self.image, "bytes": self.bytes, "layers": self.layers, "there": self.there}


@dataclass(frozen=True)
class DeployPlan:
    """What a deploy would do on one droplet.

    Args:
        old_tag: the tag of what stands there; '' for nothing.
        keys: variables of the environment that differ, each with how; None: what stands there is not known.
        files: env and secret files that differ.
        seconds: of the last deploys there, from their beginning until their services were ready, newest first.
        steps: name of a step → median of the seconds that it took in these; what no record says is left out.
        notes: what is not known, and why.
        mark: changes whenever something else is put on the droplet.
    """

    droplet: str
    stack: str
    tag: str
    old_tag: str
    services: tuple[ServiceChange, ...]
    pulls: tuple[PlannedPull, ...]
    keys: tuple[str, ...] | None
    files: tuple[str, ...]
    seconds: tuple[float, ...]
    steps: dict[str, float]
    notes: tuple[str, ...]
    mark: str

    @property
    def bytes(self) -> int:
        """Bytes to pull, each layer once."""
        return sum(pull.bytes for pull in self.pulls)

    @property
    def sentence(self) -> str:
        """The plan in one sentence."""
        counts = Counter(one.becomes for one in self.services)
        told = ", ".join(f"{count} {word}" for word, count in sorted(counts.items())) or "no service"
        instead = f" instead of {self.old_tag}" if self.old_tag and self.old_tag != self.tag else ""
        return f"Release {self.tag} comes to {self.droplet}{instead}: {told}. {self.pulled} {self.took}"

    @property
    def pulled(self) -> str:
        """What would be pulled, as a sentence."""
        if not self.pulls:
            return "Nothing is left to pull."
        layers, there = sum(p.layers for p in self.pulls), sum(p.there for p in self.pulls)
        images = f"{len(self.pulls)} image{'s' if len(self.pulls) > 1 else ''}"
        return f"{images} to pull, {self.bytes / 1e6:,.1f} MB; {there} of {layers} layers are there."

    @property
    def took(self) -> str:
        """How long deploys took there, as a sentence."""
        if not self.seconds:
            return "How long it takes is unknown: no record of a deploy there says it."
        last = ", ".join(f"{one:.0f} s" for one in self.seconds)
        parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.steps.items())
        return f"The last {len(self.seconds)} there took {last}{f' ({parts})' if parts else ''}."

    @property
    def environment(self) -> str:
        """Which variables and files of the environment differ, as a sentence."""
        keys = "not known" if self.keys is None else ", ".join(self.keys) or "none"
        files = f" Its files that differ: {', '.join(self.files)}." if self.files else ""
        return f"Environment keys that differ: {keys}.{files}"

    def as_json(self) -> dict[str, Any]:
        return {
            "droplet": self.droplet, "stack": self.stack, "tag": self.tag, "instead_of": self.old_tag or None,
            "services": [one.as_json() for one in self.services],
            "pulls": [one.as_json() for one in self.pulls], "bytes": self.bytes,
            "environment": None if self.keys is None else list(self.keys), "files": list(self.files),
            "seconds": list(self.seconds) or None, "steps": self.steps, "notes": list(self.notes),
        }  # fmt: skip


def plan_deploy(
    droplet: str,
    release: Release,
    current: Release | None,
    facts: Facts,
    standing: Standing,
    coming: Coming,
    strategy: Literal["rolling", "prefetch", "recreate"],
) -> DeployPlan:
    """Plan the deploy of a release, by what its droplet has.

    Args:
        release: the part of it that this droplet runs.
        current: what stands there; None: nothing, or it cannot be read.
    """
    anew = "" if strategy == "rolling" else f"the strategy {strategy} stops everything first"
    compared = compare(release, facts.containers, standing, coming, facts.compose, anew)
    seconds, steps = _times(facts.history)
    files = [p for p in (*coming.given, *standing.given) if differs(standing.given, coming.given, p)]
    return DeployPlan(
        droplet,
        release.stack,
        release.tag,
        current.tag if current else "",
        service_changes(compared),
        _pulls(release, facts, current),
        None if standing.environment is None else tuple(_keys(standing, coming)),
        tuple(dict.fromkeys(files)) if current else (),
        seconds,
        steps,
        tuple(_notes(facts, standing, coming, alike=compared.alike)),
        plan_mark(facts.history),
    )


def plan_mark(history: History) -> str:
    """A text that changes whenever something is put on a droplet."""
    return f"{history.last_number} {history.current}"


def _pulls(release: Release, facts: Facts, current: Release | None) -> tuple[PlannedPull, ...]:
    found, there = [], layers_there(release, facts, current)
    for reference in missing_images(release, facts.present):
        layers = {layer.digest: layer.size for layer in release.images[reference].layers}
        left = {digest: size for digest, size in layers.items() if digest not in there}
        found.append(PlannedPull(reference, sum(left.values()), len(layers), len(layers) - len(left)))
        there |= left.keys()  # a layer that several images share is pulled once
    return tuple(found)


def _keys(standing: Standing, coming: Coming) -> list[str]:
    old, new = standing.environment or {}, coming.environment
    words = {n: "added" if n not in old else "removed" if n not in new else "changed" for n in (*old, *new)}
    return [f"{name} ({how})" for name, how in sorted(words.items()) if differs(old, new, name)]


def _times(history: History) -> tuple[tuple[float, ...], dict[str, float]]:
    seconds, steps = [], dict[str, list[float]]()
    done = [r for r in reversed(history.records) if r.kind == "deploy" and r.deployed and r.began][:_LAST]
    for record in done:
        try:
            took = (
                datetime.fromisoformat(record.deployed or "") - datetime.fromisoformat(record.began)
            ).total_seconds()
        except (ValueError, TypeError):
            continue  # somebody wrote it by hand
        if took >= 0:
            seconds.append(took)
        for name, value in (record.measured.steps if record.measured else {}).items():
            steps.setdefault(name, []).append(value)
    return tuple(seconds), {step.value: median(steps[step.value]) for step in _TOLD if step.value in steps}


def _notes(facts: Facts, standing: Standing, coming: Coming, *, alike: bool) -> list[str]:
    notes = []
    if facts.history.unfinished:
        notes.append("a run before this one was not finished, or awaits its validation: slipway history")
    if facts.asleep:
        notes.append("what stands there was put to sleep; it is started")
    if facts.current and standing.fields is None:
        notes.append("what stands there does not say how Compose resolved it: services are compared by their images")
    if not coming.version:
        notes.append("there is no Docker Compose here, so services are compared by their images alone")
    elif facts.compose and not alike:
        notes.append(
            f"Compose is {coming.version} here and {facts.compose} there: services are compared field by field, and "
            "its own judgement may differ"
        )
    return notes
