"""Results of the flows: plain values that the command line, the UI and the tests read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.core.droplet.containers import Container, by_service
from flows.core.gates.probes import ProbeResult
from flows.core.gates.verdict import GateResult, Verdict
from flows.core.records.measurements import BuildTimes, Measurements
from flows.core.records.record import Record
from flows.core.release.release import Release
from flows.core.traffic.promotion_plan import PromotionPlan


@dataclass(frozen=True)
class ServiceState:
    """The state of one service on one droplet: its image by digest, its state and health."""

    image: str
    state: str
    health: str

    def as_json(self) -> dict[str, str]:
        return {"image": self.image, "state": self.state, "health": self.health}


@dataclass(frozen=True)
class Published:
    """Result of build-push: the release, the tag that was the newest before it, and the digest of the image that holds
    the release's document: by that it is deployed, whatever its tag means meanwhile."""

    release: Release
    previous: str | None
    seconds: float
    digest: str = ""
    build: BuildTimes | None = None


@dataclass(frozen=True)
class Deployed:
    """Result of deploy: the release on the droplet, and the images that were pulled.

    Args:
        kept: writable paths that stay as services have them, though the release brings others → why.
    """

    droplet: str
    release: Release
    services: Mapping[str, ServiceState]
    pulled: tuple[str, ...]
    pulled_bytes: int
    seconds: float
    kept: Mapping[str, str] = field(default_factory=dict)
    measured: Measurements | None = None


@dataclass(frozen=True)
class Validated:
    """Result of validate: the results of all probes."""

    droplet: str
    tag: str
    outcomes: tuple[ProbeResult, ...]
    seconds: float


@dataclass(frozen=True)
class RolledBack:
    """Result of rollback: the release that runs again, and the tag it replaced. Times are seconds since it began.

    Args:
        kept: writable paths that stay as services have them, though the release brings others → why.
    """

    droplet: str
    release: Release
    replaced: str | None
    services: Mapping[str, ServiceState]
    pulled: tuple[str, ...]
    validated: Validated
    healthy_after: float
    seconds: float
    kept: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reconciled:
    """Result of reconcile: what was done, and why."""

    droplet: str
    done: str
    why: str


@dataclass(frozen=True)
class Released:
    """Result of release: its stages, deployed and validated on a droplet, or promoted."""

    published: Published
    deployed: Deployed | None
    validated: Validated | None
    run_url: str = ""
    edge_url: str = ""
    promoted: "Promoted | None" = None


@dataclass(frozen=True)
class GateReport:
    """Result of gates: those of one colour, read once. `window` is how many seconds of requests were counted."""

    colour: str
    readings: tuple[GateResult, ...]
    verdict: Verdict
    seconds: float
    window: float

    @property
    def words(self) -> str:
        """The gates that count and did not pass, in one line, each with what was found and wanted."""
        open_ones = [r for r in self.readings if r.verdict is not Verdict.PASS and not r.observed]
        return "; ".join(f"{r.gate}: {r.found} (wanted: {r.wanted})" for r in open_ones)


@dataclass(frozen=True)
class TrafficMoved:
    """Result of moving traffic to a colour.

    Args:
        colour, previous_colour: where traffic goes now, and where it went before ('' for nowhere).
        decided_at: when it was decided, in seconds since the epoch.
        turned_after, seen_after: seconds from there until the switch had turned, and until the new colour had answered
            through it three times in a row.
        woken_after: seconds that it took to wake the new colour before that; 0: it was awake.
    """

    colour: str
    previous_colour: str
    tag: str
    decided_at: float
    turned_after: float
    seen_after: float
    url: str = ""
    woken_after: float = field(default=0.0, kw_only=True)


@dataclass(frozen=True)
class Promoted(TrafficMoved):
    """Result of promote: its plan, the gates it passed, who approved it, and how many seconds it was watched.

    Args:
        asleep: whether the colour that traffic left was put to sleep.
        canary: the shares of the clients that reached it before all did, in percent.
    """

    plan: PromotionPlan | None = None
    gates: GateReport | None = None
    approved_by: str = ""
    watched: float = 0.0
    readings: int = 0
    run_url: str = ""
    asleep: bool = False
    canary: tuple[int, ...] = ()


@dataclass(frozen=True)
class Adopted:
    """Result of adopt: what was done, in words, and what is worth knowing of it.

    Args:
        tag: '' where nothing was put anywhere.
        away: seconds from the stop of the old containers until green answered.
    """

    droplet: str
    stack: str
    project: str
    done: str
    tag: str = ""
    rows: tuple[Mapping[str, object], ...] = ()
    notes: tuple[str, ...] = ()
    away: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Watched:
    """Result of watch: seconds, how often the gates were read, and how often they did not pass."""

    colour: str
    seconds: float
    readings: int
    failing: int
    inconclusive: int


@dataclass(frozen=True)
class DropletStatus:
    """Result of status for one droplet: its release, record, services and lock.

    Args:
        active: whether traffic reaches it; None: unknown.
        holder: who holds its lock.
        home: whether it is the data home, which has no colour.
        asleep: whether it was put to sleep, and nothing runs.
        share: percent of the clients that reach it, while a canary divides them; None: they are not divided.
    """

    active: bool | None
    release: str | None
    services: Mapping[str, ServiceState] = field(default_factory=dict)
    trouble: str = ""
    record: Record | None = None
    holder: str = ""
    home: bool = False
    asleep: bool = False
    share: int | None = None

    def as_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {"active": self.active, "release": self.release}
        if self.home:
            said["data_home"] = True
        if self.asleep:
            said["asleep"] = True
        if self.share is not None:
            said["share"] = self.share
        if self.record:
            said["record"] = self.record.model_dump(mode="json")
        if self.holder:
            said["locked_by"] = self.holder
        services = {name: state.as_json() for name, state in self.services.items()}
        return {**said, "services": services, **({"trouble": self.trouble} if self.trouble else {})}


def service_states(containers: list[Container], digests: Mapping[str, tuple[str, ...]]) -> dict[str, ServiceState]:
    """Service → its state; that of the worst container where it has several."""
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
