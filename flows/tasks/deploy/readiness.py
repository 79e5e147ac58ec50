"""Waits until the services of a droplet are ready, and tells what the others said last."""

import math
import time

from prefect.logging import get_run_logger

from blocks.polling import until
from flows.core.deploy.readiness import (
    Patience,
    Readiness,
    ServiceReadiness,
    Watch,
    all_ready,
    failures,
    judge_readiness,
)
from flows.core.droplet.containers import Container, read_containers
from flows.core.droplet.running import Running, containers_script, read_running, running_script
from flows.core.errors import ServicesNotReady
from flows.core.stack.stack import Stack
from flows.core.steps import Step
from flows.tasks.debug.capture import capture_failed_step
from flows.tasks.deploy.deployment import Deployment
from flows.tasks.droplet.connection import QUICK
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import masked_end, masked_line
from flows.tasks.runs.measuring import now_measured
from flows.tasks.runs.retries import ONCE, RAW

_POLL = 0.15


@task(name=Step.WAIT.value, task_run_name="wait until every service is ready", on_failure=[capture_failed_step], **ONCE)
def wait_until_ready(deployment: Deployment, stack: Stack) -> Running:
    """Wait until every service is ready by its own healthcheck's times, and return what the droplet runs then.

    Raises:
        ServicesNotReady: with each failed service, why, and its last log lines.
    """
    settings = deployment.settings
    patience = Patience(readiness_delay=settings.readiness_delay, restarts_allowed=settings.restarts_allowed)
    observation = _Observation()
    measured = now_measured()
    began = measured.began.get(Step.START.value) if measured else None

    def look() -> tuple[Running, list[ServiceReadiness]]:
        answer = deployment.session.run(running_script(deployment.release.stack), timeout=QUICK)
        running = read_running(answer.out)
        services = judge_readiness(stack, running.containers, observation.watch(running.containers), patience)
        observation.log_changes(services)
        if failed := failures(services):
            names = tuple(dict.fromkeys(one.service for one in failed))
            reasons = "; ".join(f"{one.service}: {masked_line(one.reason)}" for one in failed)
            raise ServicesNotReady(f"on {deployment.session.address}: {reasons}{last_words(deployment, names)}")
        return running, services

    # The deadline is each service's own, from its healthcheck: one that is over is a failure.
    try:
        running, _ = until(look, lambda seen: all_ready(seen[1]), math.inf, pause=_POLL)
    finally:
        if measured:
            measured.note(ready_seconds=observation.ready_after(began))
    return running


class _Observation:
    """What was seen of containers so far: since when each runs without a break, and its restarts at first."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._first_seen: dict[str, float] = {}
        self._restarts: dict[str, int] = {}
        self._latest: dict[str, int] = {}
        self._logged: dict[str, str] = {}
        self._ready_at: dict[str, float] = {}

    def watch(self, containers: list[Container]) -> Watch:
        """Note what is seen now, and return all that was seen by our own clock."""
        now = time.monotonic()
        for container in containers:
            self._restarts.setdefault(container.id, container.restarts)
            restarted = self._latest.get(container.id, container.restarts) != container.restarts
            if container.state != "running" or restarted:
                self._first_seen.pop(container.id, None)
            if container.state == "running":
                self._first_seen.setdefault(container.id, now)
            self._latest[container.id] = container.restarts
        return Watch(now - self._began, {c: now - t for c, t in self._first_seen.items()}, self._restarts)

    def ready_after(self, began: float | None) -> dict[str, float]:
        """Service → seconds until all of its containers were ready.

        Args:
            began: when their start began, by the monotonic clock; default: when they were first looked at.
        """
        since = self._began if began is None else began
        return {service: round(at - since, 3) for service, at in sorted(self._ready_at.items())}

    def log_changes(self, services: list[ServiceReadiness]) -> None:
        """Log each service whose readiness changed, and note since when each is ready."""
        waiting = {one.service for one in services if one.readiness is not Readiness.READY}
        for one in services:
            if one.service in waiting:
                self._ready_at.pop(one.service, None)
            else:
                self._ready_at.setdefault(one.service, time.monotonic())
        for one in services:
            key = one.container or one.service
            if self._logged.get(key) != one.reason:
                self._logged[key] = one.reason
                get_run_logger().info("%s is %s", one.service, masked_line(one.reason), extra={RAW: True})


def unready_services(deployment: Deployment) -> tuple[str, ...]:
    """Services with a container that is unhealthy, or ended with another exit code than 0."""
    answer = deployment.session.run(containers_script(deployment.release.stack), timeout=QUICK, check=False)
    containers = read_containers(answer.out)
    return tuple(dict.fromkeys(c.service for c in containers if c.health == "unhealthy" or c.exit_code))


def last_words(deployment: Deployment, services: tuple[str, ...]) -> str:
    """The last log lines of services, for an error's text; each is cut to what a person reads."""
    d = deployment
    lines = d.settings.log_lines
    if not lines:
        return ""
    argv = d.compose("logs", "--no-color", "--no-log-prefix", "--tail", str(lines))
    said = []
    for service in services[:5]:
        answer = d.session.run([*argv, service], timeout=QUICK, check=False)
        words = masked_end(answer.out, lines)
        said.append(f"\nlast words of {service}:\n{words or '(none)'}")
    return "".join(said)
