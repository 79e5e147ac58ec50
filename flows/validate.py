"""validate: health, MCP tools, workflows and their traces, of what runs on a droplet."""

import time
from collections.abc import Sequence
from dataclasses import replace

from prefect.logging import get_run_logger

from blocks import Langfuse
from blocks.ssh.shell import RemoteShell
from flows.core.control.events import VALIDATED, VALIDATION_FAILED
from flows.core.droplet.asleep import SECTION, read_marker, sleep_sections
from flows.core.droplet.containers import Container, read_containers
from flows.core.droplet.running import read_resolved, running_release_script
from flows.core.droplet.sections import section_script, sections
from flows.core.errors import ColourAsleep, DropletBusy, NothingDeployed, ValidationFailed
from flows.core.gates.probes import ProbeResult, all_passed, traced_services
from flows.core.records.history import History
from flows.core.records.lifecycle import conclude
from flows.core.records.measuring import agents_traced, probe_times
from flows.core.records.record import Record
from flows.core.records.storage import history_sections, read_records
from flows.core.release.release import Release, read_release
from flows.core.results import Validated
from flows.settings import Settings
from flows.tasks.debug.capture import capture_after_failure
from flows.tasks.debug.last_lines import show_last_lines
from flows.tasks.droplet.connection import QUICK
from flows.tasks.droplet.deployed_secrets import register_environment_secrets
from flows.tasks.droplet.target import Target
from flows.tasks.gates.probe_targets import ProbeTargets
from flows.tasks.gates.probes import probe_health, probe_mcp, probe_workflows
from flows.tasks.insight.overview import keep_overview
from flows.tasks.records.history import keep_record, load_history
from flows.tasks.runs.artifacts import probe_rows, table
from flows.tasks.runs.blocks import load_environment, load_langfuse
from flows.tasks.runs.declaration import flow
from flows.tasks.runs.events import emit
from flows.tasks.runs.log_masking import mask, register_stack_secrets
from flows.tasks.runs.measuring import Measuring, measuring
from flows.tasks.runs.run_info import now
from flows.tasks.stack.run_names import run_name


@flow(
    name="validate",
    flow_run_name=run_name("validate {stack} on {droplet}"),
    overview=keep_overview,
    on_failure=[capture_after_failure],
)
def validate(stack: str | None = None, droplet: str | None = None) -> Validated:
    """Probe what runs on a droplet, as its `x-slipway` fields say, through SSH: no port needs to be public.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        droplet: name of the Droplet block; default: the setting `droplet`.
    """
    target = Target.resolve(stack=stack, droplet=droplet)
    load_environment(target.settings, target.whole)  # what it holds is kept out of logs and errors from here on
    return validate_droplet(target)


def validate_droplet(target: Target) -> Validated:
    """The body of the flow; it can run without a Prefect server.

    A release that nobody has judged yet counts as good from here on, if everything passes.
    """
    began = time.monotonic()
    settings = target.settings
    with measuring(target.name) as measured, target.connected() as session:
        release, probes, history = read_running_release(session, target)
        outcomes = [replace(found, detail=mask(found.detail)) for found in probe_all(probes, load_langfuse(settings))]
        measured.note(probes=probe_times(outcomes), agents=agents_traced(outcomes))
        failed = tuple(dict.fromkeys(outcome.service for outcome in outcomes if outcome.failed))
        if failed:
            show_last_lines(session, target.directory, failed, settings.log_lines)
        elif (candidate := history.unfinished) and candidate.deployed and candidate.name == history.current:
            _record_good(target, candidate, traced_services(outcomes, probes.traced), measured)
    rows = probe_rows(outcomes)
    table(f"validate-{target.name}", rows, f"{_summary(outcomes)} of release {release.tag} on {target.name}")
    if failed:
        wrong = mask("; ".join(f"{o.name}: {o.phase.value}: {o.detail}" for o in outcomes if o.failed))
        tell = {"stack": target.whole, "droplet": target.name, "colour": target.colour}
        emit(VALIDATION_FAILED, tag=release.tag, reason=wrong, **tell)
        raise ValidationFailed(f"release {release.tag} on {session.address}: {_summary(outcomes)}. {wrong}", failed)
    return Validated(target.name, release.tag, tuple(outcomes), time.monotonic() - began)


def _record_good(target: Target, candidate: Record, traced: Sequence[str], measured: Measuring) -> None:
    """Write that it passed, unless another run changes the droplet meanwhile."""
    try:
        with target.locked(f"record of {candidate.tag}") as lock:
            history = load_history(lock, target.directory)
            if history.unfinished == candidate:
                good, *others = conclude(history, candidate, now(), traced=traced)
                keep_record(lock, target.directory, [measured.kept_in(good), *others])
                emit(VALIDATED, stack=target.whole, tag=candidate.tag, droplet=target.name, colour=target.colour)
    except DropletBusy as error:
        get_run_logger().warning("it passed, but is not recorded as good: %s", error)


def read_running_release(
    session: RemoteShell, target: Target, settings: Settings | None = None
) -> tuple[Release, ProbeTargets, History]:
    """The release that runs, its stack as the droplet's own Compose resolves it, and where its containers are.

    Raises:
        NothingDeployed
        ColourAsleep: nothing of it runs, and nothing should.
    """
    directory = target.directory
    beside = section_script({**history_sections(directory), **sleep_sections(directory)})
    script = f"{beside}{running_release_script(directory)}"
    said = sections(session.run(script, timeout=QUICK).out)
    if not said.get("release"):
        raise NothingDeployed(
            f"{session.address} carries no release of stack {directory.stack}. "
            f"Deploy one: slipway deploy --tag TAG --droplet {target.name}"
        )
    stack = read_resolved(said.get("config", ""))
    release = read_release(said["release"].encode())
    history = read_records(said, directory.stack)
    if marker := read_marker(said.get(SECTION, ""), history.current):
        raise ColourAsleep(
            f"release {release.tag} on {target.name} is asleep since {marker.since}: its containers are stopped "
            "until traffic comes back. Wake it and send traffic there: slipway switch-back. Put a release there: "
            f"slipway deploy --tag TAG --droplet {target.name}"
        )
    register_stack_secrets(stack)
    register_environment_secrets(session, directory.current, release)
    containers: list[Container] = read_containers(said.get("containers", ""))
    good = history.last_known_good()
    probes = ProbeTargets(stack, containers, session, settings or target.settings, traced=good.traced if good else ())
    return release, probes, history


def probe_all(probes: ProbeTargets, langfuse: Langfuse | None) -> list[ProbeResult]:
    """Health, then MCP tools, then workflows and their traces; a phase that fails is the last one."""
    outcomes = probe_health(probes)
    _log_results(outcomes)
    if not all_passed(outcomes):
        return outcomes
    tools = probe_mcp(probes)
    _log_results(tools)
    outcomes += tools
    if not all_passed(tools):
        return outcomes
    workflows = probe_workflows(probes, langfuse)
    _log_results(workflows)
    return outcomes + workflows


def _log_results(outcomes: list[ProbeResult]) -> None:
    log = get_run_logger()
    for outcome in outcomes:
        write = log.info if outcome.passed else log.error if outcome.failed else log.warning
        write(
            "%s %s: %s (%s, %.2f s)",
            outcome.mark,
            outcome.name,
            outcome.detail,
            outcome.phase.value,
            outcome.seconds,
        )


def _summary(outcomes: list[ProbeResult]) -> str:
    passed = sum(outcome.passed for outcome in outcomes)
    unknown = sum(not outcome.known for outcome in outcomes)
    return f"{passed} of {len(outcomes)} probes passed" + (f", {unknown} could not be made" if unknown else "")
