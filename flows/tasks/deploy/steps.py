"""Puts a release on a droplet: the steps of a deploy, each a task, all over one SSH connection."""

import shlex
from collections.abc import Collection, Sequence

from prefect.logging import get_run_logger

from blocks import ContainerRegistry
from blocks.errors import RemoteFailed, RemoteTimeout
from blocks.ssh.output import Line
from flows.core.deploy.digests import digest_mismatches
from flows.core.deploy.facts import Facts
from flows.core.deploy.files.staging_scripts import place_script, switch_script
from flows.core.deploy.files.writable import Bringing
from flows.core.deploy.plan.readings import Standing
from flows.core.deploy.preflight import missing_images, preflight_problems
from flows.core.deploy.replacement import TRIED, replaced_services, replacement_cost
from flows.core.droplet.containers import Container
from flows.core.droplet.docker_commands import PROJECT_LABEL, remove, stop
from flows.core.droplet.half_made import mend_half_made
from flows.core.droplet.running import Running
from flows.core.errors import DeployFailed, DigestMismatch, DropletNotReady
from flows.core.records.record import Record
from flows.core.records.storage import records_tar, write_records
from flows.core.stack.stack import Stack
from flows.core.steps import Step
from flows.settings import Strategy
from flows.tasks.debug.capture import capture_failed_step
from flows.tasks.deploy.deployment import Deployment
from flows.tasks.deploy.planning import LookAhead, PreparedDeploy, current_release, look_at
from flows.tasks.deploy.pull import pull_references
from flows.tasks.deploy.readiness import last_words, unready_services
from flows.tasks.deploy.writable import bring
from flows.tasks.droplet.connection import QUICK
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import masked_line
from flows.tasks.runs.measuring import now_measured
from flows.tasks.runs.retries import ONCE, RAW, RETRIED

# What fails here is looked at before it is rolled back.
OBSERVED = {**ONCE, "on_failure": [capture_failed_step]}


@task(name=Step.PREFLIGHT.value, task_run_name="preflight of {deployment.droplet}", timeout_seconds=120, **RETRIED)
def preflight(deployment: Deployment, prepared: PreparedDeploy, ahead: LookAhead) -> tuple[Facts, Standing]:
    """Look at the droplet, and refuse it when it cannot take the release.

    Args:
        ahead: what a plan asks besides.

    Raises:
        DropletNotReady: with everything that stands against it.
        ForeignRecord, NewerRecord: what it keeps of earlier releases is not ours to go on with.
    """
    release = deployment.release
    facts, standing = look_at(deployment.session, prepared, ahead)
    against = preflight_problems(release, facts, current_release(facts))
    if against:
        raise DropletNotReady(f"{deployment.session.address} cannot take release {release.tag}: {'; '.join(against)}")
    return facts, standing


@task(name=Step.PULL.value, task_run_name="pull what is missing on {deployment.droplet}", **RETRIED)
def pull_images(deployment: Deployment, present: Collection[str], registry: ContainerRegistry) -> list[str]:
    """Pull by digest what the droplet does not have; returns the references pulled. Nothing is stopped or started.

    Args:
        present: `repository@digest` of what it has, as the engine lists it.

    Raises:
        CertificateRefused, LoginRefused, PullFailed
    """
    d = deployment
    missing = missing_images(d.release, present)
    if not missing:
        get_run_logger().info("nothing to pull: %s has all %d images", d.droplet, len(d.release.images))
        return []
    took = pull_references(d.session, missing, registry, d.settings, _log_line())
    if measured := now_measured():
        measured.pulled |= took
    return missing


@task(
    name=Step.SWITCH.value,
    task_run_name="make {deployment.release.tag} the current release",
    **RETRIED,
)
def make_current(deployment: Deployment, records: Sequence[Record], bringing: Bringing) -> dict[str, str]:
    """Write what is about to be done into the droplet's history, then make the release the current one.

    This is the first change; what runs is not touched yet, but finds in writable paths what the release brings there.

    Args:
        bringing: what is changed in writable paths.

    Returns:
        What stays there as services have it: path → why.
    """
    d = deployment
    write, switch = write_records(d.directory), switch_script(d.directory, d.name)
    if not bringing.changes:
        d.session.run(f"{write}\n{switch}", timeout=QUICK, stdin=records_tar(records))
        return bring(d, bringing)
    d.session.run(f"{write}\n{place_script(d.directory, d.name)}", timeout=QUICK, stdin=records_tar(records))
    kept = bring(d, bringing)
    d.session.run(switch, timeout=QUICK)
    return kept


@task(name=Step.REMOVE_ORPHANS.value, task_run_name="remove what has left the stack on {deployment.droplet}", **ONCE)
def remove_orphans(deployment: Deployment, orphans: Sequence[Container]) -> None:
    """Stop and remove containers of services that the release does not have.

    Compose's `--remove-orphans` passes over services that a profile switched off: they still stand in the file.
    Volumes stay, also those without a name; where these are is told, for nothing else leads to them any more. What has
    not the stack's own label stays, too, whatever the engine lists.
    """
    d, log = deployment, get_run_logger()
    ours = [one for one in orphans if dict(one.labels).get(PROJECT_LABEL) == d.release.stack]
    for one in orphans:
        if one not in ours:
            log.warning("%s is not of stack %s by its label, and stays", one.name, d.release.stack)
    if not ours:
        return
    for place, volume, name in ((p, v, c.name) for c in ours for p, v in c.nameless):
        log.warning("%s goes; what it kept at %s stays on the droplet, as volume %s", name, place, volume)
    ids = [container.id for container in ours]
    for argv in (stop(ids), remove(ids)):
        d.session.run(argv, timeout=d.settings.start_timeout, on_line=_log_line())


@task(name=Step.STOP.value, task_run_name="stop services on {deployment.droplet}", **ONCE)
def stop_services(deployment: Deployment, keep: bool = False) -> None:
    """`docker compose down --remove-orphans`: named volumes stay.

    Args:
        keep: stop the containers and leave them, because something stands on volumes that only they lead to.
    """
    if keep:
        get_run_logger().info("services are stopped, not removed: some keep something on a volume without a name")
    change_services(deployment, deployment.compose.stop() if keep else deployment.compose.down())


def tell_cost(deployment: Deployment, containers: Sequence[Container], strategy: Strategy) -> None:
    """Say what clients will notice of the replacement that comes next; Compose itself says what it replaces.

    Args:
        containers: those that are there.
    """
    d = deployment
    replaced: tuple[str, ...] = ()
    if strategy == "rolling":
        try:
            said = d.session.run(d.compose(*TRIED), timeout=QUICK, check=False)
            replaced = replaced_services(said.out + said.err, containers)
        except RemoteTimeout as error:
            get_run_logger().warning("what is replaced is not known: %s", error)
    if words := replacement_cost(replaced, containers, strategy):
        get_run_logger().warning("%s", words)


@task(name=Step.START.value, task_run_name="start what differs on {deployment.droplet}", **OBSERVED)
def start_services(deployment: Deployment, anew: bool = False) -> None:
    """`docker compose up -d`: replaces what differs from the release, and nothing else.

    Args:
        anew: replace everything.

    Raises:
        DeployFailed: with Compose's own words.
    """
    change_services(deployment, deployment.compose.up(anew=anew), mend_half_made(deployment.release.stack))


def change_services(deployment: Deployment, argv: list[str], first: str = "true") -> None:
    """Run a command of Compose's that starts or stops services.

    Args:
        first: a script to run before.

    Raises:
        DeployFailed: with Compose's own words.
    """
    d = deployment
    try:
        d.session.run(f"{first}\nexec {shlex.join(argv)}", timeout=d.settings.start_timeout, on_line=_log_line())
    except RemoteFailed as error:
        words = [line for line in error.output.splitlines() if line.strip()]
        raise DeployFailed(
            f"`docker compose {argv[argv.index('--env-file') + 2]}` on {d.session.address} ended with exit "
            f"{error.code}: {masked_line(words[-1]) if words else ''}{last_words(d, unready_services(d))}"
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
