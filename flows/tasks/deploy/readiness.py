"""Waits until the services of a droplet are ready, and tells what the others said last."""

import time

from prefect import task
from prefect.logging import get_run_logger

from flows.core.deploy.readiness import Patience, Watch, all_ready, failures, judge_readiness
from flows.core.droplet.containers import Container, read_containers
from flows.core.droplet.docker_commands import without_controls
from flows.core.droplet.running import Running, containers_script, read_running, running_script
from flows.core.errors import ServicesNotReady
from flows.core.stack.stack import Stack
from flows.core.steps import Step
from flows.tasks.debug.capture import capture_failed_step
from flows.tasks.deploy.deployment import Deployment
from flows.tasks.droplet.connection import QUICK
from flows.tasks.runs.log_masking import mask
from flows.tasks.runs.retries import ONCE, RAW

_POLL = 0.15


@task(name=Step.WAIT.value, task_run_name="wait until every service is ready", on_failure=[capture_failed_step], **ONCE)
def wait_until_ready(deployment: Deployment, stack: Stack) -> Running:
    """Wait until every service is ready by its own healthcheck's times, and return what the droplet runs then.

    Raises:
        ServicesNotReady: with each failed service, why, and its last log lines.
    """
    settings, log = deployment.settings, get_run_logger()
    patience = Patience(readiness_delay=settings.readiness_delay, restarts_allowed=settings.restarts_allowed)
    began = time.monotonic()
    first_seen: dict[str, float] = {}
    restarts: dict[str, int] = {}
    latest: dict[str, int] = {}
    told: dict[str, str] = {}
    while True:
        answer = deployment.session.run(running_script(deployment.release.stack), timeout=QUICK)
        now, running = time.monotonic(), read_running(answer.out)
        _remember(running.containers, first_seen, restarts, latest, now)
        watch = Watch(now - began, {c: now - t for c, t in first_seen.items()}, restarts)
        standings = judge_readiness(stack, running.containers, watch, patience)
        for standing in standings:
            if told.get(standing.container or standing.service) != standing.reason:
                told[standing.container or standing.service] = standing.reason
                log.info("%s is %s", standing.service, standing.reason, extra={RAW: True})
        if failed := failures(standings):
            names = tuple(dict.fromkeys(standing.service for standing in failed))
            reasons = "; ".join(f"{standing.service}: {standing.reason}" for standing in failed)
            raise ServicesNotReady(f"on {deployment.session.address}: {mask(reasons)}{last_words(deployment, names)}")
        if all_ready(standings):
            return running
        time.sleep(_POLL)


def _remember(
    containers: list[Container],
    first_seen: dict[str, float],
    restarts: dict[str, int],
    latest: dict[str, int],
    now: float,
) -> None:
    """Note since when each container runs without a break, and how often it had been restarted at first."""
    for container in containers:
        restarts.setdefault(container.id, container.restarts)
        if container.state != "running" or latest.get(container.id, container.restarts) != container.restarts:
            first_seen.pop(container.id, None)
        if container.state == "running":
            first_seen.setdefault(container.id, now)
        latest[container.id] = container.restarts


def unready_services(deployment: Deployment) -> tuple[str, ...]:
    """Services with a container that is unhealthy, or ended with another exit code than 0."""
    answer = deployment.session.run(containers_script(deployment.release.stack), timeout=QUICK, check=False)
    containers = read_containers(answer.out)
    return tuple(dict.fromkeys(c.service for c in containers if c.health == "unhealthy" or c.exit_code))


def last_words(deployment: Deployment, services: tuple[str, ...]) -> str:
    """The last log lines of services, for an error's text."""
    d = deployment
    lines = d.settings.log_lines
    if not lines:
        return ""
    argv = d.compose("logs", "--no-color", "--no-log-prefix", "--tail", str(lines))
    said = []
    for service in services[:5]:
        answer = d.session.run([*argv, service], timeout=QUICK, check=False)
        said.append(f"\nlast words of {service}:\n{without_controls(answer.out).strip() or '(none)'}")
    return mask("".join(said))
