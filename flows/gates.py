"""gates: read every gate of a colour, and say pass, fail or inconclusive."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from prefect import flow
from prefect.logging import get_run_logger

from blocks import Langfuse
from blocks.errors import OutsideError
from flows.core.deploy.deployed_state import Standing
from flows.core.droplet.directories import Home
from flows.core.errors import SlipwayError
from flows.core.gates import probe_gates as core
from flows.core.gates.probes import Outcome, Phase, all_passed
from flows.core.gates.verdict import Reading, Verdict, decide, observe
from flows.core.release.role import home_stack
from flows.core.results import GatesRead
from flows.core.traffic.approval import light
from flows.core.traffic.colours import direction
from flows.settings import Settings
from flows.tasks.droplet.connection import connected
from flows.tasks.gates.measurements import let_requests_come, limits, read_metrics, read_traces
from flows.tasks.gates.probes import Probes, probe_health, probe_mcp
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import load_droplet, load_environment, load_langfuse, load_prometheus
from flows.tasks.runs.log_masking import masked
from flows.tasks.stack.run_names import run_name
from flows.tasks.stack.source import stack_name
from flows.tasks.traffic.colours import Side, load_sides, look_at
from flows.tasks.traffic.switch import open_switch, read_switch
from flows.validate import look, probe_all


@flow(name="gates", flow_run_name=run_name("read the gates of {stack}"))
def gates(stack: str | None = None, colour: str | None = None, window: float | None = None) -> GatesRead:
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
        sides, seen = load_sides(name, settings), read_switch(switch)
        asked = colour or direction(seen.active, None, str(switch))[0]
    active = next((sides[c] for c in seen.active if c != asked), None)
    standings = look_at(sides[asked])
    window = settings.gate_window if window is None else window
    return read_gates(sides[asked], active, standings, [], window, settings)


def read_gates(
    side: Side,
    active: Side | None,
    standings: Sequence[Standing],
    before: Sequence[Standing],
    window: float,
    settings: Settings,
    *,
    patient: bool = True,
) -> GatesRead:
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
        probes = [_probes(stack, side, droplet, own) for droplet in side.droplets]
        outcomes = [masked_one for one in probes for masked_one in map(_masked, probe_all(one, None))]
        if window and all_passed(outcomes):
            outcomes += let_requests_come(probes, until, settings)
    opened = max(0.0, min(window, time.monotonic() - began))
    readings = [
        _digests(standings),
        *(_order(standings, before) if before else ()),
        core.health_gate(outcomes),
        core.tools_gate(outcomes, _tools_of(active, settings) if active and _asks_for_tools(outcomes) else ()),
        core.workflows_gate(outcomes),
        *_home(side, settings),
        *_traces(outcomes, langfuse, settings, patient),
        *_metrics(side, active, settings),
    ]
    found = observe([reading for reading in readings if reading], settings.gate_observe_only)
    return _told(side, found, time.monotonic() - began, opened)


def _probes(stack: ExitStack, side: Side, droplet, settings: Settings) -> Probes:  # type: ignore[no-untyped-def]
    session = stack.enter_context(connected(droplet))
    return look(session, side.home(droplet), settings)[1]


def _masked(outcome: Outcome) -> Outcome:
    return replace(outcome, detail=masked(outcome.detail))


def _digests(standings: Sequence[Standing]) -> Reading:
    wrong = [f"{standing.droplet}: {words}" for standing in standings for words in standing.wrong]
    wanted = "what runs is what the release says, by digest"
    words = "; ".join(wrong) or f"proved on {', '.join(standing.droplet for standing in standings)}"
    return Reading("digests", Verdict.FAIL if wrong else Verdict.PASS, words, wanted)


def _order(standings: Sequence[Standing], before: Sequence[Standing]) -> list[Reading]:
    mine, old = standings[0].record, before[0].record
    words = f"{mine.tag if mine else 'unknown'} beside {old.tag if old else 'unknown'}"
    return [core.order_gate(mine.began if mine else None, old.began if old else None, words)]


def _asks_for_tools(outcomes: Sequence[Outcome]) -> bool:
    """Whether a service speaks MCP and has no list of its own to compare with."""
    return any(outcome.phase is Phase.MCP and not outcome.expected for outcome in outcomes)


def _tools_of(active: Side, settings: Settings) -> list[Outcome]:
    """The tools that the active colour offers now; none when it cannot be asked: it may be what is broken."""
    quick = settings.model_copy(update={"health_patience": 0.0})
    try:
        with ExitStack() as stack:
            return probe_mcp(_probes(stack, active, active.droplets[0], quick))
    except (OutsideError, SlipwayError) as error:
        get_run_logger().warning("the tools of %s are not known: %s", active.colour, error)
        return []


def _home(side: Side, settings: Settings) -> list[Reading]:
    """The data home, where there is one: every colour needs it."""
    if not settings.home:
        return []
    home = load_droplet(settings.home)
    try:
        with connected(home) as session:
            found = look(session, Home(home.directory, home_stack(side.stack)), settings)[1]
            return [core.home_gate([_masked(outcome) for outcome in probe_health(found)], "")]
    except (OutsideError, SlipwayError) as error:
        return [core.home_gate([], masked(str(error)))]


def _traces(outcomes: Sequence[Outcome], langfuse: Langfuse | None, settings: Settings, patient: bool) -> list[Reading]:
    probed = [outcome for outcome in outcomes if outcome.phase is Phase.WORKFLOW and outcome.passed and outcome.traced]
    if langfuse is None or not probed:
        return []
    patience = settings.trace_timeout if patient else settings.provider_timeout
    traces = read_traces(langfuse, probed, patience, settings.provider_timeout)
    query = f"GET {langfuse.url.rstrip('/')}/api/public/v2/observations?traceId=…&fields=core,basic"
    return core.traces_gate(traces, limits(settings), query)


def _metrics(side: Side, active: Side | None, settings: Settings) -> list[Reading]:
    prometheus = load_prometheus(settings)
    if prometheus is None:
        return []
    colours = [side.colour, *([active.colour] if active else [])]
    found = read_metrics(prometheus, side.stack, colours, settings.gate_window, settings)
    mine, before = found[side.colour], found[active.colour] if active else None
    judges = (core.error_rate_gate, core.latency_gate)
    return [judge(mine, before, limits(settings)) for judge in judges]


def _told(side: Side, readings: list[Reading], seconds: float, window: float) -> GatesRead:
    """Show them: one line each, one artifact each with its evidence, and all of them in one table."""
    log = get_run_logger()
    found = GatesRead(side.colour, tuple(readings), decide(readings), seconds, window)
    for reading in readings:
        write = {Verdict.PASS: log.info, Verdict.FAIL: log.error}.get(reading.verdict, log.warning)
        mark = {Verdict.PASS: "✓", Verdict.FAIL: "✗"}.get(reading.verdict, "?")
        write("%s gate %s: %s", mark, reading.gate, reading.found)
        rows = [dict(row) for row in reading.evidence] or [{"found": reading.found}]
        words = f"{light(reading)}: {reading.found}\n\nWanted: {reading.wanted}\n\n{_code(reading.query)}"
        table(f"gate-{reading.gate}-{side.stack}-{side.colour}", rows, words)
    shown: list[dict[str, object]] = [
        {"gate": r.gate, "verdict": light(r), "found": r.found, "wanted": r.wanted, "query": _code(r.query)}
        for r in readings
    ]
    table(f"gates-{side.stack}-{side.colour}", shown, f"{side}: {found.verdict.value}")
    return found


def _code(query: str) -> str:
    """As the UI's Markdown shows it word for word: a bare `~` would strike it through."""
    return "; ".join(f"`{line}`" for line in query.splitlines())
