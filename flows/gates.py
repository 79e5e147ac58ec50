"""gates: read every gate of a colour, and say pass, fail or inconclusive."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from prefect.logging import get_run_logger

from blocks import Langfuse
from blocks.errors import OutsideError
from flows.core.control.events import GATES
from flows.core.deploy.deployed_state import DeployedState
from flows.core.errors import SlipwayError
from flows.core.gates import probe_gates as core
from flows.core.gates.metric_gates import error_rate_gate, latency_gate
from flows.core.gates.probes import Phase, ProbeResult, all_passed
from flows.core.gates.trace_gates import traces_gate
from flows.core.gates.verdict import GateResult, Verdict, combine_verdicts, mark_observed
from flows.core.quotation import Markup, literal
from flows.core.results import GateReport
from flows.core.traffic.approval import coloured_verdict
from flows.core.traffic.colours import Colour, direction
from flows.settings import Settings
from flows.tasks.droplet.target import Target
from flows.tasks.gates.measurements import generate_traffic, limits, read_metrics, read_traces
from flows.tasks.gates.probe_targets import ProbeTargets
from flows.tasks.gates.probes import probe_health, probe_mcp
from flows.tasks.insight.overview import keep_overview
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import load_environment, load_langfuse, load_prometheus
from flows.tasks.runs.declaration import flow
from flows.tasks.runs.events import emit
from flows.tasks.runs.log_masking import mask
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name
from flows.tasks.traffic.colours import ColourDroplets, load_colours, read_states
from flows.tasks.traffic.switch import open_switch, read_switch
from flows.validate import probe_all, read_running_release


@flow(name="gates", flow_run_name=run_name("read the gates of {stack}"), overview=keep_overview)
def gates(stack: str | None = None, colour: Colour | None = None, window: float | None = None) -> GateReport:
    """Read every gate of a colour and change nothing.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        colour: green or blue; default: the idle one.
        window: seconds in which requests are counted; default: the setting `gate_window`.
    """
    settings = Settings()
    name = stack_name(stack or settings.stack)
    load_environment(settings, name)
    with open_switch(settings) as switch:
        sides, seen = load_colours(name, settings), read_switch(switch)
        asked = colour or direction(seen.active, None, str(switch))[0]
    active = next((sides[c] for c in seen.active if c != asked), None)
    standings = read_states(sides[asked])
    window = settings.gate_window if window is None else window
    return tell_verdict(read_gates(sides[asked], active, standings, [], window, settings), name, standings)


def tell_verdict(said: GateReport, stack: str, standings: Sequence[DeployedState]) -> GateReport:
    """Emit what the gates said, and return it. A reading of a watch or before a switch back is no event."""
    tag, verdict = next((state.release.tag for state in standings if state.release), ""), said.verdict.value
    emit(GATES[verdict], stack=stack, tag=tag, colour=said.colour, verdict=verdict, reason=said.words)
    return said


def read_gates(
    colour: ColourDroplets,
    active: ColourDroplets | None,
    standings: Sequence[DeployedState],
    before: Sequence[DeployedState],
    window: float,
    settings: Settings,
    *,
    patient: bool = True,
) -> GateReport:
    """Probe a colour, let requests come, and read the metrics and the traces.

    Args:
        active: the colour to compare with, if there is one.
        standings, before: what stands on this colour, and on the active one.
        window: seconds for which requests are made first; 0: what was asked so far is judged.
        patient: a probe that does not answer well is tried again for a while.
    """
    began = time.monotonic()
    until, langfuse = began + window, load_langfuse(settings)
    own = settings if patient else settings.model_copy(update={"health_patience": 0.0})
    with ExitStack() as stack:
        probes = [_probes(stack, target, own) for target in colour.targets]
        outcomes = [masked_one for one in probes for masked_one in map(_masked, probe_all(one, None))]
        if window and all_passed(outcomes):
            outcomes += generate_traffic(probes, until, settings)
    opened = max(0.0, min(window, time.monotonic() - began))
    readings = [
        _digests(standings),
        *(_order(standings, before) if before else ()),
        core.health_gate(outcomes),
        core.tools_gate(outcomes, _tools_of(active, settings) if active and _asks_for_tools(outcomes) else ()),
        core.workflows_gate(outcomes),
        *_home(colour, standings, settings),
        *_traces(outcomes, langfuse, settings, patient),
        *_metrics(colour, active, max(settings.gate_window, time.monotonic() - began), settings),
    ]
    found = mark_observed([reading for reading in readings if reading], settings.gate_observe_only)
    return _publish_report(colour, found, time.monotonic() - began, opened)


def _probes(stack: ExitStack, target: Target, settings: Settings) -> ProbeTargets:
    return read_running_release(stack.enter_context(target.connected()), target, settings)[1]


def _masked(outcome: ProbeResult) -> ProbeResult:
    return replace(outcome, detail=mask(outcome.detail))


def _digests(standings: Sequence[DeployedState]) -> GateResult:
    wrong = [f"{standing.droplet}: {words}" for standing in standings for words in standing.wrong]
    wanted = "what runs is what the release says, by digest"
    words = "; ".join(wrong) or f"proved on {', '.join(standing.droplet for standing in standings)}"
    return GateResult("digests", Verdict.FAIL if wrong else Verdict.PASS, words, wanted)


def _order(standings: Sequence[DeployedState], before: Sequence[DeployedState]) -> list[GateResult]:
    mine, old = standings[0].record, before[0].record
    words = f"{mine.tag if mine else 'unknown'} beside {old.tag if old else 'unknown'}"
    return [core.order_gate(mine.began if mine else None, old.began if old else None, words)]


def _asks_for_tools(outcomes: Sequence[ProbeResult]) -> bool:
    """Whether a service speaks MCP and has no list of its own to compare with."""
    return any(outcome.phase is Phase.MCP and not outcome.expected for outcome in outcomes)


def _tools_of(active: ColourDroplets, settings: Settings) -> list[ProbeResult]:
    """The tools that the active colour offers now; none when it cannot be asked: it may be what is broken."""
    quick = settings.model_copy(update={"health_patience": 0.0})
    try:
        with ExitStack() as stack:
            return probe_mcp(_probes(stack, active.targets[0], quick))
    except (OutsideError, SlipwayError) as error:
        get_run_logger().warning("the tools of %s are not known: %s", active.colour, error)
        return []


def _home(colour: ColourDroplets, standings: Sequence[DeployedState], settings: Settings) -> list[GateResult]:
    """The data home, where there is one, and the release has services there: every colour needs it."""
    stateless = [bool(standing.release and not standing.release.home) for standing in standings]
    if not settings.home or (stateless and all(stateless)):
        return []
    try:
        target = Target.data_home(stack=colour.stack, settings=settings)
        with target.connected() as session:
            found = read_running_release(session, target, settings)[1]
            return [core.home_gate([_masked(outcome) for outcome in probe_health(found)], "")]
    except (OutsideError, SlipwayError) as error:
        return [core.home_gate([], mask(str(error)))]


def _traces(
    outcomes: Sequence[ProbeResult], langfuse: Langfuse | None, settings: Settings, patient: bool
) -> list[GateResult]:
    probed = [outcome for outcome in outcomes if outcome.phase is Phase.WORKFLOW and outcome.passed and outcome.traced]
    if langfuse is None or not probed:
        return []
    patience = settings.trace_timeout if patient else settings.provider_timeout
    traces = read_traces(langfuse, probed, patience, settings.provider_timeout)
    query = f"GET {langfuse.url.rstrip('/')}/api/public/v2/observations?traceId=…&fields=core,basic"
    return traces_gate(traces, limits(settings), query)


def _metrics(
    colour: ColourDroplets, active: ColourDroplets | None, seconds: float, settings: Settings
) -> list[GateResult]:
    """The metrics of the last `seconds`: since the first probe, so that slow looks between do not make them fewer."""
    prometheus = load_prometheus(settings)
    if prometheus is None:
        return []
    colours = [colour.colour, *([active.colour] if active else [])]
    found = read_metrics(prometheus, colour.stack, colours, seconds, settings)
    mine, before = found[colour.colour], found[active.colour] if active else None
    judges = (error_rate_gate, latency_gate)
    return [judge(mine, before, limits(settings)) for judge in judges]


def _publish_report(colour: ColourDroplets, readings: list[GateResult], seconds: float, window: float) -> GateReport:
    """Show them: one line each, one artifact each with its evidence, and all of them in one table."""
    log = get_run_logger()
    found = GateReport(colour.colour, tuple(readings), combine_verdicts(readings), seconds, window)
    for reading in readings:
        write = {Verdict.PASS: log.info, Verdict.FAIL: log.error}.get(reading.verdict, log.warning)
        mark = {Verdict.PASS: "✓", Verdict.FAIL: "✗"}.get(reading.verdict, "?")
        write("%s gate %s: %s", mark, reading.gate, reading.found)
        rows = [dict(row) for row in reading.evidence] or [{"found": reading.found}]
        shown_words = literal(reading.found, cell=False)
        words = f"{coloured_verdict(reading)}: {shown_words}\n\nWanted: {reading.wanted}\n\n{_code(reading.query)}"
        table(f"gate-{reading.gate}-{colour.stack}-{colour.colour}", rows, words)
    shown: list[dict[str, object]] = [
        {"gate": r.gate, "verdict": coloured_verdict(r), "found": r.found, "wanted": r.wanted, "query": _code(r.query)}
        for r in readings
    ]
    table(f"gates-{colour.stack}-{colour.colour}", shown, f"{colour}: {found.verdict.value}")
    return found


def _code(query: str) -> str:
    """As the UI's Markdown shows it word for word: a bare `~` would strike it through."""
    return Markup("; ".join(literal(line, cell=False) for line in query.splitlines()))
