"""When a started service counts as ready: the rules of our own waiter.

`docker compose up --wait` exits 1 when a one-shot container exits 0, and a fixed clock kills containers that are
still inside their start period. Here the deadline comes from each healthcheck's own fields.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from flows.core.droplet.containers import Container, Healthcheck, by_service
from flows.core.stack.stack import Stack


class Readiness(Enum):
    """Where one service stands."""

    READY = "ready"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True)
class ServiceReadiness:
    """One service's readiness, and the reason in words."""

    service: str
    readiness: Readiness
    reason: str
    container: str = ""


@dataclass(frozen=True)
class Patience:
    """How long to wait (seconds), and how many restarts a starting service may have."""

    readiness_delay: float = 2.0
    margin: float = 10.0
    without_healthcheck: float = 60.0
    restarts_allowed: int = 3
    one_shot: float = 600.0


@dataclass(frozen=True)
class Watch:
    """What the waiter has seen so far, by its own clock, so that a droplet whose clock is off changes nothing.

    Args:
        waited: seconds since the waiting began.
        running_for: seconds each container id has been seen running without a break.
        restarts_before: restart count of each container id when the waiting began.
    """

    waited: float = 0.0
    running_for: Mapping[str, float] = field(default_factory=dict)
    restarts_before: Mapping[str, int] = field(default_factory=dict)


def judge_readiness(
    stack: Stack, containers: Iterable[Container], watch: Watch, patience: Patience
) -> list[ServiceReadiness]:
    """Judge every service of the stack; a service with several containers has one standing each."""
    found = by_service(containers)
    standings = []
    for name, service in stack.services.items():
        mine = found.get(name, [])
        if len(mine) < service.replicas:
            standings.append(_missing(name, len(mine), service.replicas, watch.waited, patience))
        standings += [_Case(stack, container, watch, patience).standing() for container in mine]
    return standings


def all_ready(standings: Iterable[ServiceReadiness]) -> bool:
    """Whether nothing has to be waited for any more."""
    return all(standing.readiness is Readiness.READY for standing in standings)


def failures(standings: Iterable[ServiceReadiness]) -> list[ServiceReadiness]:
    """The standings for which waiting longer is of no use."""
    return [standing for standing in standings if standing.readiness is Readiness.FAILED]


def _missing(name: str, there: int, wanted: int, waited: float, patience: Patience) -> ServiceReadiness:
    if waited > patience.margin:
        return ServiceReadiness(name, Readiness.FAILED, f"{there} of {wanted} containers were created")
    return ServiceReadiness(name, Readiness.WAITING, "not created yet")


@dataclass(frozen=True)
class _Case:
    """One container before the judge."""

    stack: Stack
    container: Container
    watch: Watch
    patience: Patience

    def standing(self) -> ServiceReadiness:
        container = self.container
        restarts = container.restarts - self.watch.restarts_before.get(container.id, 0)
        if restarts > self.patience.restarts_allowed:
            return self._failed(f"restarted {restarts} times, last {exit_words(container)}")
        if container.state in ("exited", "dead"):
            if self._one_shot and container.exit_code == 0:
                return self._ready("completed")
            return self._failed(exit_words(container))
        if container.state != "running":
            return self._until(self.patience.one_shot, container.state)
        return self._running()

    def _running(self) -> ServiceReadiness:
        if self.container.service in self.stack.awaited_to_complete:
            return self._until(self.patience.one_shot, "not completed")
        if self.container.healthcheck is not None:
            return self._health(self.container.healthcheck)
        if self._seen_running >= self.patience.readiness_delay:
            return self._ready("running")
        return self._until(self.patience.without_healthcheck, "starting")

    def _health(self, healthcheck: Healthcheck) -> ServiceReadiness:
        words = self.container.last_words
        if self.container.health == "healthy":
            return self._ready("healthy")
        if self.container.health == "unhealthy":
            return self._failed(f"unhealthy: {words or 'its healthcheck says nothing'}")
        limit = healthcheck.longest + self.patience.margin
        if self._seen_running > limit:
            return self._failed(f"not healthy {limit:.0f} s after its start: {words}".rstrip(": "))
        return self._waiting("starting")

    @property
    def _one_shot(self) -> bool:
        """A healthcheck says that a service is meant to stay, unless others wait for its completion: a migration that
        runs the application's image has the healthcheck of that image too."""
        if self.container.service in self.stack.awaited_to_complete:
            return True
        return self.container.service in self.stack.one_shots and self.container.healthcheck is None

    @property
    def _seen_running(self) -> float:
        return self.watch.running_for.get(self.container.id, 0.0)

    def _until(self, limit: float, reason: str) -> ServiceReadiness:
        if self.watch.waited > limit:
            return self._failed(f"{reason} after {limit:.0f} s")
        return self._waiting(reason)

    def _ready(self, reason: str) -> ServiceReadiness:
        return ServiceReadiness(self.container.service, Readiness.READY, reason, self.container.name)

    def _waiting(self, reason: str) -> ServiceReadiness:
        return ServiceReadiness(self.container.service, Readiness.WAITING, reason, self.container.name)

    def _failed(self, reason: str) -> ServiceReadiness:
        return ServiceReadiness(self.container.service, Readiness.FAILED, reason, self.container.name)


def exit_words(container: Container) -> str:
    """`exit 137 (out of memory)` and the like."""
    known = {137: "killed", 143: "terminated", 127: "command not found", 126: "command not executable"}
    meaning = "out of memory" if container.oom_killed else known.get(container.exit_code, "")
    words = f"exit {container.exit_code}"
    return f"{words} ({meaning})" if meaning else words
