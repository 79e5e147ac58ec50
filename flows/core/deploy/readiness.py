"""When a started service counts as ready.

`docker compose up --wait` exits 1 when a one-shot container exits 0, and a fixed clock kills containers that are
still inside their start period. Here the deadline comes from each healthcheck's own fields.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from flows.core.droplet.containers import Container, Healthcheck, by_service
from flows.core.stack.stack import Stack


class Readiness(Enum):
    """Whether a service is ready, is still waited for, or has failed."""

    READY = "ready"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True)
class ServiceReadiness:
    """The readiness of one container of a service, and the reason in words."""

    service: str
    readiness: Readiness
    reason: str
    container: str = ""


@dataclass(frozen=True)
class Patience:
    """The limits of waiting: seconds for each case, and restarts that a starting service may have."""

    readiness_delay: float = 2.0
    margin: float = 10.0
    without_healthcheck: float = 60.0
    restarts_allowed: int = 3
    one_shot: float = 600.0


@dataclass(frozen=True)
class Watch:
    """What was observed of the containers so far, by our own clock: that of a droplet may be wrong.

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
    """The readiness of every service of the stack; a service with several containers has one for each."""
    found = by_service(containers)
    judged = []
    for name, service in stack.services.items():
        mine = found.get(name, [])
        if len(mine) < service.replicas:
            judged.append(_missing(name, len(mine), service.replicas, watch.waited, patience))
        judged += [_Case(stack, container, watch, patience).judge() for container in mine]
    return judged


def all_ready(services: Iterable[ServiceReadiness]) -> bool:
    """Whether every service is ready."""
    return all(one.readiness is Readiness.READY for one in services)


def failures(services: Iterable[ServiceReadiness]) -> list[ServiceReadiness]:
    """The services that have failed: waiting longer is of no use."""
    return [one for one in services if one.readiness is Readiness.FAILED]


def _missing(name: str, there: int, wanted: int, waited: float, patience: Patience) -> ServiceReadiness:
    if waited > patience.margin:
        return ServiceReadiness(name, Readiness.FAILED, f"{there} of {wanted} containers were created")
    return ServiceReadiness(name, Readiness.WAITING, "not created yet")


@dataclass(frozen=True)
class _Case:
    """The readiness of one container."""

    stack: Stack
    container: Container
    watch: Watch
    patience: Patience

    def judge(self) -> ServiceReadiness:
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
        """Whether the container may end with exit 0.

        A healthcheck says that a service is meant to stay, unless others wait for its completion: a migration that
        runs the application's image has the healthcheck of that image too.
        """
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
    """The exit code of a container with its meaning, such as `exit 137 (out of memory)`."""
    known = {137: "killed", 143: "terminated", 127: "command not found", 126: "command not executable"}
    meaning = "out of memory" if container.oom_killed else known.get(container.exit_code, "")
    words = f"exit {container.exit_code}"
    return f"{words} ({meaning})" if meaning else words
