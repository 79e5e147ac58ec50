"""What the flows return: plain values that the command line, the UI and the tests read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.core.droplet.containers import Container, by_service
from flows.core.gates.probes import ProbeResult
from flows.core.gates.verdict import GateResult, Verdict
from flows.core.records.record import Record
from flows.core.release.release import Release
from flows.core.traffic.promotion_plan import PromotionPlan


@dataclass(frozen=True)
class ServiceState:
    """One service on one droplet: image by digest, and what the engine says of it."""

    image: str
    state: str
    health: str

    def as_json(self) -> dict[str, str]:
        return {"image": self.image, "state": self.state, "health": self.health}


@dataclass(frozen=True)
class Published:
    """What build-push published, and the tag that was the newest before it."""

    release: Release
    previous: str | None
    seconds: float


@dataclass(frozen=True)
class Deployed:
    """What deploy put where, and what it had to pull."""

    droplet: str
    release: Release
    services: Mapping[str, ServiceState]
    pulled: tuple[str, ...]
    pulled_bytes: int
    seconds: float


@dataclass(frozen=True)
class Validated:
    """What validate found."""

    droplet: str
    tag: str
    outcomes: tuple[ProbeResult, ...]
    seconds: float


@dataclass(frozen=True)
class RolledBack:
    """What a rollback put in force again, and the tag it went away from. Times are seconds since it began."""

    droplet: str
    release: Release
    replaced: str | None
    services: Mapping[str, ServiceState]
    pulled: tuple[str, ...]
    validated: Validated
    healthy_after: float
    seconds: float


@dataclass(frozen=True)
class Reconciled:
    """What was done about what ended runs had left, and why."""

    droplet: str
    done: str
    why: str


@dataclass(frozen=True)
class Released:
    """The stages of a release: deployed and validated where it was sent, or promoted."""

    published: Published
    deployed: Deployed | None
    validated: Validated | None
    run_url: str = ""
    edge_url: str = ""
    promoted: "Promoted | None" = None


@dataclass(frozen=True)
class GateReport:
    """The gates of one colour, read once. Times are seconds; `window` is how long requests were let come."""

    colour: str
    readings: tuple[GateResult, ...]
    verdict: Verdict
    seconds: float
    window: float

    @property
    def words(self) -> str:
        """Every gate that did not pass and counts, in one line: what was found, and what was wanted."""
        open_ones = [r for r in self.readings if r.verdict is not Verdict.PASS and not r.observed]
        return "; ".join(f"{r.gate}: {r.found} (wanted: {r.wanted})" for r in open_ones)


@dataclass(frozen=True)
class TrafficMoved:
    """What moving traffic did.

    Args:
        colour, previous_colour: where traffic goes now, and where it went before ('' for nowhere).
        decided_at: when it was decided, in seconds since the epoch.
        turned_after, seen_after: seconds from there until the switch had turned, and until the new colour had answered
            through it three times in a row.
    """

    colour: str
    previous_colour: str
    tag: str
    decided_at: float
    turned_after: float
    seen_after: float
    url: str = ""


@dataclass(frozen=True)
class Promoted(TrafficMoved):
    """What a promotion did: the plan it followed, the gates it passed, who approved it, and how long it was watched."""

    plan: PromotionPlan | None = None
    gates: GateReport | None = None
    approved_by: str = ""
    watched: float = 0.0
    readings: int = 0
    run_url: str = ""


@dataclass(frozen=True)
class Watched:
    """What a watch saw: seconds, how often the gates were read, and how often they did not pass."""

    colour: str
    seconds: float
    readings: int
    failing: int
    inconclusive: int


@dataclass(frozen=True)
class DropletStatus:
    """One droplet: whether traffic reaches it (None: nobody knows), the release it runs with the record of it, its
    services, who holds its lock, and whether it is the data home, which has no colour."""

    active: bool | None
    release: str | None
    services: Mapping[str, ServiceState] = field(default_factory=dict)
    trouble: str = ""
    record: Record | None = None
    holder: str = ""
    home: bool = False

    def as_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {"active": self.active, "release": self.release}
        if self.home:
            said["data_home"] = True
        if self.record:
            said["record"] = self.record.model_dump(mode="json")
        if self.holder:
            said["locked_by"] = self.holder
        services = {name: state.as_json() for name, state in self.services.items()}
        return {**said, "services": services, **({"trouble": self.trouble} if self.trouble else {})}


def service_states(containers: list[Container], digests: Mapping[str, tuple[str, ...]]) -> dict[str, ServiceState]:
    """The state of each service. With several containers, that of the worst."""
    return {
        name: min((_state(container, digests) for container in mine), key=_goodness)
        for name, mine in by_service(containers).items()
    }


def _state(container: Container, digests: Mapping[str, tuple[str, ...]]) -> ServiceState:
    known = digests.get(container.image_id, ())
    image = container.image if "@" in container.image or not known else known[0]
    return ServiceState(image, container.state, container.health)


def _goodness(state: ServiceState) -> tuple[bool, bool]:
    return state.state == "running", state.health in ("healthy", "none")
