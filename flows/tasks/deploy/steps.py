"""Puts a release on a droplet: the steps of a deploy, each a task, all over one SSH connection."""

import re
import shlex
from collections.abc import Collection, Sequence

from prefect import task
from prefect.logging import get_run_logger

from blocks import ContainerRegistry
from blocks.errors import RemoteFailed
from blocks.ssh.output import Line
from flows.core.deploy import staging
from flows.core.deploy.digests import digest_mismatches
from flows.core.deploy.facts import Facts, facts_script, read_facts
from flows.core.deploy.preflight import missing_images, preflight_problems
from flows.core.droplet.docker_commands import complaint, remove, remove_half_made, stop
from flows.core.droplet.running import Running
from flows.core.errors import (
    BrokenStack,
    DeployFailed,
    DigestMismatch,
    DropletNotReady,
)
from flows.core.records.record import Record
from flows.core.records.storage import records_tar, write_records
from flows.core.release.bundle import SEED
from flows.core.release.release import Release, read_release
from flows.core.release.role import refuse_mixed
from flows.core.stack.compose_yaml import load_config
from flows.core.stack.stack import Stack
from flows.core.steps import Step
from flows.tasks.debug.capture import capture_failed_step
from flows.tasks.deploy.deployment import Deployment, ReleasePayload
from flows.tasks.deploy.pull import pull_references
from flows.tasks.deploy.readiness import last_words, unready_services
from flows.tasks.deploy.reading import compare_readings
from flows.tasks.droplet.connection import QUICK
from flows.tasks.runs.log_masking import mask
from flows.tasks.runs.retries import ONCE, RAW, RETRIED
from flows.tasks.stack.reading import refuse_unset, unset_variables

# What fails here is looked at before it is rolled back.
OBSERVED = {**ONCE, "on_failure": [capture_failed_step]}
# The tools that put files into place, as they begin a complaint.
_FILES = re.compile(r"^(mkdir|chmod|rm|tar|cp|ln|sh): .*", re.MULTILINE)


@task(name=Step.PREFLIGHT.value, task_run_name="preflight of {deployment.droplet}", timeout_seconds=120, **RETRIED)
def preflight(deployment: Deployment) -> Facts:
    """Look at the droplet, and refuse it when it cannot take the release.

    Raises:
        DropletNotReady: with everything that stands against it.
        ForeignRecord, NewerRecord: what it keeps of earlier releases is not ours to go on with.
    """
    release = deployment.release
    script = facts_script(deployment.directory, sorted(release.images))
    facts = read_facts(deployment.session.run(script, timeout=QUICK).out, release.stack)
    against = preflight_problems(release, facts, current_release(facts))
    if against:
        raise DropletNotReady(f"{deployment.session.address} cannot take release {release.tag}: {'; '.join(against)}")
    return facts


def current_release(facts: Facts) -> Release | None:
    """The release the droplet runs now; None when there is none, or its document is unreadable."""
    try:
        return read_release(facts.current.encode()) if facts.current else None
    except Exception:
        return None


@task(
    name=Step.PUT_FILES.value,
    task_run_name="put the release's files on {deployment.droplet}",
    timeout_seconds=300,
    **RETRIED,
)
def put_files(deployment: Deployment, payload: ReleasePayload, compose: str) -> Stack:
    """Put the release's files beside the running one, and read with the droplet's own Compose what they come to.

    Args:
        compose: version of Compose there.

    Raises:
        UnsetVariables, BrokenStack, ReadingsDiffer, StateUndeclared: what was put there is removed again.
    """
    d = deployment
    content = staging.staged_files(
        d.release, payload.files, payload.variables, payload.secrets, d.directory, payload.role
    )
    seeds = {name: file for name, file in payload.files.items() if name.startswith(f"{SEED}/")}
    try:
        answer = d.session.run(
            staging.stage_script(d.release, d.directory, d.name, seeds),
            timeout=QUICK,
            stdin=staging.staging_tar(content),
        )
    except RemoteFailed as error:
        _refuse_broken(error, d)
    try:
        printed = answer.out.replace(d.directory.incoming(d.name), "")
        compare_readings(
            d.release, content, payload.variables, printed, answer.err, there=(d.droplet, compose), settings=d.settings
        )
        stack = Stack.from_config(load_config(answer.out))
        refuse_mixed(d.release, stack)
        return stack
    except Exception:
        d.session.run(staging.discard_script(d.directory, d.name), timeout=QUICK, check=False)
        raise


def _refuse_broken(error: RemoteFailed, deployment: Deployment) -> None:
    if failed := _FILES.search(error.output):
        raise DropletNotReady(
            f"{deployment.session.address}: {deployment.directory.path} cannot be written: {failed.group()}. "
            "Make room there, or give its block a directory that its user may write to"
        ) from None
    refuse_unset(unset_variables(error.output), f"stack {deployment.release.stack} uses")
    raise BrokenStack(
        f"Compose on {deployment.session.address} cannot read the stack: {complaint(error.output)}"
    ) from None


@task(name=Step.PULL.value, task_run_name="pull what is missing on {deployment.droplet}", **RETRIED)
def pull_images(deployment: Deployment, present: Collection[str], registry: ContainerRegistry) -> list[str]:
    """Pull by digest what the droplet does not have; returns the references pulled. Nothing is stopped or started.

    Args:
        present: `repository@digest` of what it has, as the engine lists it.

    Raises:
        LoginRefused, PullFailed
    """
    d = deployment
    missing = missing_images(d.release, present)
    if not missing:
        get_run_logger().info("nothing to pull: %s has all %d images", d.droplet, len(d.release.images))
        return []
    pull_references(d.session, missing, registry, d.settings, _log_line())
    return missing


@task(
    name=Step.SWITCH.value,
    task_run_name="make {deployment.release.tag} the current release",
    timeout_seconds=90,
    **RETRIED,
)
def make_current(deployment: Deployment, records: Sequence[Record]) -> None:
    """Write what is about to be done into the droplet's history, then make the release the current one.

    This is the first change; what runs is not touched yet.
    """
    d = deployment
    script = f"{write_records(d.directory)}\n{staging.switch_script(d.directory, d.name)}"
    d.session.run(script, timeout=QUICK, stdin=records_tar(records))


@task(name=Step.REMOVE_ORPHANS.value, task_run_name="remove what has left the stack on {deployment.droplet}", **ONCE)
def remove_orphans(deployment: Deployment, ids: list[str]) -> None:
    """Stop and remove containers of services that the release does not have.

    Compose's `--remove-orphans` passes over services that a profile switched off: they still stand in the file.
    """
    d = deployment
    for argv in (stop(ids), remove(ids)):
        d.session.run(argv, timeout=d.settings.start_timeout, on_line=_log_line())


@task(name=Step.STOP.value, task_run_name="stop services on {deployment.droplet}", **ONCE)
def stop_services(deployment: Deployment) -> None:
    """`docker compose down --remove-orphans`: volumes stay."""
    _change(deployment, deployment.compose.down())


@task(name=Step.START.value, task_run_name="start what differs on {deployment.droplet}", **OBSERVED)
def start_services(deployment: Deployment) -> None:
    """`docker compose up -d`: replaces what differs from the release, and nothing else.

    Raises:
        DeployFailed: with Compose's own words.
    """
    _change(deployment, deployment.compose.up(), remove_half_made(deployment.release.stack))


def _change(deployment: Deployment, argv: list[str], first: str = "true") -> None:
    d = deployment
    try:
        d.session.run(f"{first}\nexec {shlex.join(argv)}", timeout=d.settings.start_timeout, on_line=_log_line())
    except RemoteFailed as error:
        words = [line for line in error.output.splitlines() if line.strip()]
        raise DeployFailed(
            f"`docker compose {argv[argv.index('--env-file') + 2]}` on {d.session.address} ended with exit "
            f"{error.code}: {mask(words[-1]) if words else ''}{last_words(d, unready_services(d))}"
        ) from None


@task(
    name=Step.PROVE.value,
    task_run_name="prove the digests that run on {deployment.droplet}",
    **OBSERVED,
)
def prove_digests(deployment: Deployment, stack: Stack, running: Running) -> None:
    """Compare what runs, image by image, with the release.

    Raises:
        DigestMismatch
    """
    d = deployment
    expected = {name: ref for name, ref in d.release.services.items() if stack.services[name].replicas}
    wrong = digest_mismatches(expected, running.containers, running.digests)
    if wrong:
        raise DigestMismatch(f"{d.session.address} does not run release {d.release.tag}: {'; '.join(wrong)}")


def _log_line() -> Line:
    log = get_run_logger()
    return lambda line: log.info("%s", line.strip(), extra={RAW: True}) if line.strip() else None
