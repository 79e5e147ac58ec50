"""What a run measured of a release, kept in its record: what was not measured is None or left out, never zero."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

ProbeVerdict = Literal["pass", "fail", "inconclusive"]
_FROZEN = ConfigDict(frozen=True)


class BuildTimes(BaseModel):
    """What building and pushing took.

    Args:
        build_seconds, push_seconds: of the commands, retries included.
        images: how many images were built.
        pushed: how many of them the registry did not have.
        pushed_bytes: compressed bytes of the layers that the registry did not have.
        layers_found: layers that the registry had already.
    """

    model_config = _FROZEN
    build_seconds: float | None = None
    push_seconds: float | None = None
    images: int | None = None
    pushed: int | None = None
    pushed_bytes: int | None = None
    layers_found: int | None = None


class Pull(BaseModel):
    """The pull of one image onto one droplet.

    Args:
        image: `repository@digest`.
        registry: the host it came from.
        seconds: from the start of its `docker pull` to its end; images are pulled side by side.
        bytes: compressed bytes of its layers that the droplet did not have, each layer counted at one image.
        ahead: whether it was pulled while other images were still being pushed.
    """

    model_config = _FROZEN
    image: str
    registry: str = ""
    seconds: float | None = None
    bytes: int | None = None
    ahead: bool = False


class ProbeTime(BaseModel):
    """One probe: of which service, its phase (`health`, `MCP tools`, `workflow`, `trace`), verdict and seconds."""

    model_config = _FROZEN
    service: str
    phase: str
    verdict: ProbeVerdict
    seconds: float | None = None


class GateNumbers(BaseModel):
    """One gate as it was read when the release was decided on; `found` and `wanted` in words, `query` word for word."""

    model_config = _FROZEN
    gate: str
    verdict: ProbeVerdict
    found: str = ""
    wanted: str = ""
    query: str = ""
    observed: bool = False


class Turn(BaseModel):
    """How traffic came to a release.

    Args:
        at: when it was decided; ISO 8601, UTC.
        turned_seconds, seen_seconds: from there until the switch had turned, and until the colour answered through it.
        lost: requests that are known to have been lost; None: nobody counted.
        watched_seconds: how long its gates were read again afterwards.
        approved_by: who approved it, and why; '' if nobody was asked.
    """

    model_config = _FROZEN
    colour: str
    previous: str = ""
    at: str = ""
    turned_seconds: float | None = None
    seen_seconds: float | None = None
    lost: int | None = None
    watched_seconds: float | None = None
    approved_by: str = ""


class Measurements(BaseModel):
    """What the runs measured that put one release on one droplet, and judged it.

    Args:
        committed: when the release's commit was made; ISO 8601, UTC; '' if unknown.
        lock_seconds: how long the droplet's lock was waited for.
        steps: name of a step (`flows.core.steps.Step`) → seconds, retries included, all its runs added.
        ready_seconds: service → seconds from the start of the services until it was ready.
        agents: service with a traced workflow → whether its trace was found; None: nobody could say.
        restored_seconds: of a rollback: from its beginning until the release before was healthy again.
        turn: of a release that traffic was sent to.
    """

    model_config = _FROZEN
    committed: str = ""
    build: BuildTimes | None = None
    lock_seconds: float | None = None
    steps: dict[str, float] = {}
    pulls: tuple[Pull, ...] | None = None
    ready_seconds: dict[str, float] = {}
    probes: tuple[ProbeTime, ...] = ()
    agents: dict[str, bool | None] = {}
    gates: tuple[GateNumbers, ...] = ()
    turn: Turn | None = None
    restored_seconds: float | None = None

    def merged(self, later: "Measurements") -> "Measurements":
        """These, and what a later run measured: seconds of steps and of the lock are added, all else is the later one's
        if said."""
        said = {name: getattr(later, name) for name in later.model_fields_set}
        steps = {name: self.steps.get(name, 0.0) + later.steps.get(name, 0.0) for name in {**self.steps, **later.steps}}
        if self.lock_seconds is not None and later.lock_seconds is not None:
            said["lock_seconds"] = self.lock_seconds + later.lock_seconds
        return self.model_copy(update={**said, "steps": steps})
