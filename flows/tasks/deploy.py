"""Puts a release on a droplet: the steps of a deploy, each a task, all over one SSH connection."""

import time
from collections.abc import Mapping

import yaml
from prefect import task
from prefect.logging import get_run_logger

from blocks import ContainerRegistry
from blocks.errors import LoginRefused, RemoteFailed
from blocks.ssh import Session
from flows.core import staging
from flows.core.bundle import SEED, File
from flows.core.containers import Container, read_containers
from flows.core.digests import mismatches
from flows.core.errors import (
    BrokenStack,
    DeployFailed,
    DigestMismatch,
    DropletNotReady,
    PullFailed,
    ServicesNotReady,
)
from flows.core.facts import Facts, containers_script, facts_script, read_facts, read_running, running_script
from flows.core.layout import Home, release_name
from flows.core.preflight import faults, missing_images
from flows.core.release import Release, read_release
from flows.core.stack import Stack
from flows.core.waiting import Patience, Standing, Watch, all_ready, failures, judge
from flows.settings import Settings
from flows.tasks.retrying import ONCE, RETRIED
from flows.tasks.source import refuse_unset

QUICK = 60.0
RAW = "slipway_raw"
_POLL = 0.25


class Deployment:
    """One release on its way to one droplet. Holds the connection and secrets, so it is no dataclass to be logged."""

    def __init__(
        self,
        session: Session,
        home: Home,
        release: Release,
        files: Mapping[str, File],
        variables: Mapping[str, str],
        secrets: Mapping[str, File],
        settings: Settings,
    ) -> None:
        self.session = session
        self.home = home
        self.release = release
        self.files = files
        self.variables = variables
        self.secrets = secrets
        self.settings = settings
        self.name = release_name(release.tag, staging.release_fingerprint(files, variables, secrets))
        self.compose = home.compose(release, home.current)

    @property
    def droplet(self) -> str:
        return self.session.address.name


@task(name="preflight", task_run_name="preflight of {deployment.droplet}", timeout_seconds=120, **RETRIED)
def preflight(deployment: Deployment) -> Facts:
    """Look at the droplet, and refuse it when it cannot take the release.

    Raises:
        DropletNotReady: with everything that stands against it.
    """
    release = deployment.release
    script = facts_script(release.stack, deployment.home.path, sorted(release.images))
    facts = read_facts(deployment.session.run(script, timeout=QUICK).out)
    against = faults(release, facts, current_release(facts))
    if against:
        raise DropletNotReady(f"{deployment.session.address} cannot take release {release.tag}: {'; '.join(against)}")
    return facts


def current_release(facts: Facts) -> Release | None:
    """The release the droplet runs now; None when there is none, or its document is unreadable."""
    try:
        return read_release(facts.current.encode()) if facts.current else None
    except Exception:
        return None


@task(name="put files", task_run_name="put the release's files on {deployment.droplet}", timeout_seconds=300, **RETRIED)
def put_files(deployment: Deployment) -> Stack:
    """Put the release's files beside the running one, and read with the droplet's own Compose what they come to.

    Raises:
        UnsetVariables, BrokenStack: what was put there is removed again.
    """
    d = deployment
    tar = staging.staging_tar(d.release, d.files, d.variables, d.secrets, d.home)
    seeds = {name: file for name, file in d.files.items() if name.startswith(f"{SEED}/")}
    try:
        answer = d.session.run(staging.stage_script(d.release, d.home, d.name, seeds), timeout=QUICK, stdin=tar)
    except RemoteFailed as error:
        _refuse_broken(error, d)
    try:
        refuse_unset(answer.err, f"stack {d.release.stack} uses")
        return Stack.from_config(yaml.load(answer.out, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506
    except Exception:
        d.session.run(staging.discard_script(d.home, d.name), timeout=QUICK, check=False)
        raise


def _refuse_broken(error: RemoteFailed, deployment: Deployment) -> None:
    if "ermission denied" in error.output or "Read-only" in error.output or "No space" in error.output:
        raise DropletNotReady(
            f"{deployment.session.address}: {deployment.home.path} cannot be written: {error.output.splitlines()[-1]}"
        ) from None
    words = error.output.strip().splitlines()
    raise BrokenStack(f"Compose on {deployment.session.address} cannot read the stack: {words[-1] if words else error}")


@task(name="pull images", task_run_name="pull what is missing on {deployment.droplet}", **RETRIED)
def pull_images(deployment: Deployment, facts: Facts, registry: ContainerRegistry, place: str) -> list[str]:
    """Pull by digest what the droplet does not have; returns the references pulled. Nothing is stopped or started.

    Raises:
        LoginRefused, PullFailed
    """
    d = deployment
    missing = missing_images(d.release, facts)
    if not missing:
        get_run_logger().info("nothing to pull: %s has all %d images", d.droplet, len(d.release.images))
        return []
    script = staging.pull_script(d.release, d.home, place, missing, (registry.host, registry.username))
    password = registry.password.get_secret_value().encode()
    try:
        d.session.run(script, timeout=d.settings.pull_timeout, stdin=password, on_line=_log_line())
    except RemoteFailed as error:
        if error.code == staging.LOGIN_FAILED:
            raise LoginRefused(f"registry {registry.host} as seen from {d.session.address}: {error.output}") from None
        raise PullFailed(f"{d.session.address} could not pull: {error.output}") from None
    return missing


@task(
    name="make current",
    task_run_name="make {deployment.release.tag} the current release",
    timeout_seconds=90,
    **RETRIED,
)
def make_current(deployment: Deployment) -> None:
    """Make the staged release the current one. What runs is not touched yet."""
    deployment.session.run(staging.switch_script(deployment.home, deployment.name), timeout=QUICK)


@task(name="stop services", task_run_name="stop services on {deployment.droplet}", **ONCE)
def stop_services(deployment: Deployment) -> None:
    """`docker compose down --remove-orphans`: volumes stay."""
    _change(deployment, deployment.compose.down())


@task(name="start services", task_run_name="start what differs on {deployment.droplet}", **ONCE)
def start_services(deployment: Deployment) -> None:
    """`docker compose up -d`: replaces what differs from the release, and nothing else.

    Raises:
        DeployFailed: with Compose's own words.
    """
    _change(deployment, deployment.compose.up())


def _change(deployment: Deployment, argv: list[str]) -> None:
    d = deployment
    try:
        d.session.run(argv, timeout=d.settings.start_timeout, on_line=_log_line())
    except RemoteFailed as error:
        words = [line for line in error.output.splitlines() if line.strip()]
        raise DeployFailed(
            f"`docker compose {argv[argv.index('--env-file') + 2]}` on {d.session.address} ended with exit "
            f"{error.code}: {words[-1] if words else ''}{last_words(d, _sick(d))}"
        ) from None


def _sick(deployment: Deployment) -> tuple[str, ...]:
    """Services with a container that is unhealthy, or ended with another exit code than 0."""
    answer = deployment.session.run(containers_script(deployment.release.stack), timeout=QUICK, check=False)
    containers = read_containers(answer.out)
    return tuple(dict.fromkeys(c.service for c in containers if c.health == "unhealthy" or c.exit_code))


@task(name="wait until ready", task_run_name="wait until every service is ready", **ONCE)
def wait_until_ready(deployment: Deployment, stack: Stack) -> list[Standing]:
    """Wait until every service is ready by its own healthcheck's times.

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
        answer = deployment.session.run(containers_script(deployment.release.stack), timeout=QUICK)
        now, containers = time.monotonic(), read_containers(answer.out)
        _remember(containers, first_seen, restarts, latest, now)
        watch = Watch(now - began, {c: now - t for c, t in first_seen.items()}, restarts)
        standings = judge(stack, containers, watch, patience)
        for standing in standings:
            if told.get(standing.container or standing.service) != standing.reason:
                told[standing.container or standing.service] = standing.reason
                log.info("%s is %s", standing.service, standing.reason, extra={RAW: True})
        if failed := failures(standings):
            names = tuple(dict.fromkeys(standing.service for standing in failed))
            reasons = "; ".join(f"{standing.service}: {standing.reason}" for standing in failed)
            raise ServicesNotReady(f"on {deployment.session.address}: {reasons}{last_words(deployment, names)}")
        if all_ready(standings):
            return standings
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


@task(
    name="prove digests",
    task_run_name="prove the digests that run on {deployment.droplet}",
    timeout_seconds=120,
    **RETRIED,
)
def prove_digests(deployment: Deployment, stack: Stack) -> tuple[list[Container], dict[str, tuple[str, ...]]]:
    """Compare the digests that run with those of the release; returns the containers, and image id → digests.

    Raises:
        DigestMismatch
    """
    d = deployment
    containers, digests = read_running(d.session.run(running_script(d.release.stack), timeout=QUICK).out)
    expected = {name: ref for name, ref in d.release.services.items() if stack.services[name].replicas}
    wrong = mismatches(expected, containers, digests)
    if wrong:
        raise DigestMismatch(f"{d.session.address} does not run release {d.release.tag}: {'; '.join(wrong)}")
    return containers, digests


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
        said.append(f"\nlast words of {service}:\n{answer.out.strip() or '(none)'}")
    return "".join(said)


def _log_line():  # type: ignore[no-untyped-def]
    log = get_run_logger()
    return lambda line: log.info("%s", line.strip(), extra={RAW: True}) if line.strip() else None
