"""Gates: decisions over probes, traces and metrics, with three verdicts. No data is inconclusive, never a pass."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from flows.core.metrics import Measured, Value
from flows.core.probes import Outcome, Phase


class Verdict(Enum):
    """What a gate says."""

    PASS = "pass"  # noqa: S105 — a verdict
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Reading:
    """One gate as it was read once.

    Args:
        found: the numbers, in words.
        wanted: the threshold, in words.
        query: what was asked to find it, word for word.
        observed: it is shown, and decides nothing.
        evidence: the rows behind it.
    """

    gate: str
    verdict: Verdict
    found: str
    wanted: str = ""
    query: str = ""
    observed: bool = False
    evidence: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True)
class Limits:
    """The thresholds; `Settings` says what each means."""

    requests: int
    error_rate: float
    error_margin: float
    latency: float
    latency_ratio: float
    latency_slack: float
    coverage: float
    trace_errors: int


def decide(readings: Iterable[Reading]) -> Verdict:
    """One failing gate fails the whole; one that is inconclusive leaves it open; without any, nobody knows."""
    verdicts = [reading.verdict for reading in readings if not reading.observed]
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    return Verdict.PASS if verdicts and Verdict.INCONCLUSIVE not in verdicts else Verdict.INCONCLUSIVE


def observe(readings: Iterable[Reading], names: Collection[str]) -> list[Reading]:
    """Readings of these gates decide nothing any more."""
    return [replace(reading, observed=reading.gate in names) for reading in readings]


def health_gate(outcomes: Sequence[Outcome]) -> Reading:
    """Every service that says how its health is probed is well."""
    return _probed("health", "every health probe passes", Phase.HEALTH, outcomes, "no service has an x-slipway.health")


def workflows_gate(outcomes: Sequence[Outcome]) -> Reading | None:
    """Every workflow gave what was expected; None when there are none."""
    mine = [outcome for outcome in outcomes if outcome.phase is Phase.WORKFLOW]
    return _probed("workflows", "every workflow passes", Phase.WORKFLOW, outcomes, "") if mine else None


def tools_gate(outcomes: Sequence[Outcome], active: Sequence[Outcome]) -> Reading | None:
    """The expected MCP tools are offered, and every one that the active colour offers; None where MCP is not spoken.

    A tool that the stack's own list names decides alone: a service with a list may drop tools that are not on it.
    """
    mine = [outcome for outcome in outcomes if outcome.phase is Phase.MCP]
    if not mine:
        return None
    before = {o.service: o.tools for o in active if o.phase is Phase.MCP and o.passed}
    gone = {
        o.service: sorted(set(before.get(o.service, ())) - set(o.tools)) for o in mine if o.passed and not o.expected
    }
    lost = [f"{service}: {', '.join(tools)}" for service, tools in gone.items() if tools]
    reading = _probed("tools", "every expected tool, and those of the active colour", Phase.MCP, outcomes, "")
    if not lost:
        return reading
    return replace(reading, verdict=Verdict.FAIL, found=f"gone since the active release: {'; '.join(lost)}")


def home_gate(outcomes: Sequence[Outcome], trouble: str) -> Reading:
    """What keeps state is well: without it no colour is."""
    wanted = "the data home answers, and its services are well"
    if trouble:
        return Reading("data home", Verdict.FAIL, trouble, wanted)
    return _probed("data home", wanted, Phase.HEALTH, outcomes, "nothing there says how it is probed")


def order_gate(candidate: str | None, active: str | None, words: str) -> Reading:
    """Whether the candidate was put there after what is active.

    Args:
        candidate, active: when each was deployed (ISO 8601, UTC), None when no record says it.
        words: what they are.
    """
    wanted = "the candidate is the newer one"
    if not active or (candidate and candidate >= active):
        return Reading("order", Verdict.PASS, f"{words}: {candidate or 'unknown'}, {active or 'none'}", wanted)
    if not candidate:
        return Reading("order", Verdict.INCONCLUSIVE, f"{words}: nobody knows when it was put there", wanted)
    found = f"{words}: {candidate} is before {active}. This goes back to an older release"
    return Reading("order", Verdict.INCONCLUSIVE, found, wanted)


@dataclass(frozen=True)
class Trace:
    """What Langfuse holds of one agent's probe: observations, those of level ERROR, or why it could not say."""

    trace_id: str
    observations: int = 0
    errors: tuple[str, ...] = ()
    trouble: str = ""


def traces_gate(traces: Mapping[str, Trace], limits: Limits, query: str) -> list[Reading]:
    """Coverage (agents whose probe is traced ÷ agents probed), and the errors in these traces."""
    wanted = f"at least {limits.coverage:.0%} of the agents are traced"
    allowed = f"at most {limits.trace_errors} observations of level ERROR"
    rows = tuple(
        {"agent": name, "trace": t.trace_id, "observations": t.observations, "errors": ", ".join(t.errors),
         "trouble": t.trouble} for name, t in sorted(traces.items())
    )  # fmt: skip
    if trouble := next((t.trouble for t in traces.values() if t.trouble), ""):
        return [
            Reading("traces", Verdict.INCONCLUSIVE, trouble, wanted, query, evidence=rows),
            Reading("trace errors", Verdict.INCONCLUSIVE, trouble, allowed, query, evidence=rows),
        ]
    if not traces:
        words = "no workflow probe is traced"
        return [Reading("traces", Verdict.INCONCLUSIVE, words, wanted, query)]
    seen = [name for name, trace in traces.items() if trace.observations]
    missing = sorted(set(traces) - set(seen))
    found = f"{len(seen)} of {len(traces)} agents" + (f"; without a trace: {', '.join(missing)}" if missing else "")
    covered = Verdict.PASS if len(seen) / len(traces) >= limits.coverage else Verdict.FAIL
    errors = [f"{name}: {error}" for name, trace in sorted(traces.items()) for error in trace.errors]
    said = f"{len(errors)}" + (f": {'; '.join(errors[:4])}" if errors else "")
    quiet = Verdict.PASS if len(errors) <= limits.trace_errors else Verdict.FAIL
    if not seen:
        quiet, said = Verdict.INCONCLUSIVE, "no observation to look at"
    return [
        Reading("traces", covered, found, wanted, query, evidence=rows),
        Reading("trace errors", quiet, said, allowed, query, evidence=rows),
    ]


def error_rate_gate(candidate: Measured, active: Measured | None, limits: Limits) -> Reading:
    """The candidate's share of failed requests, by itself and beside the active colour's."""
    allowed, before = limits.error_rate, _known(active, "error_rate", limits)
    wanted = f"at most {limits.error_rate:.2%} of at least {limits.requests} requests"
    if before is not None:
        allowed = min(allowed, before + limits.error_margin)
        wanted += f", and at most {limits.error_margin:.2%} above the active colour's {before:.2%}"
    value = candidate.error_rate.value
    if value is not None and not 0 <= value <= 1:
        found = f"{value:g} is no share of anything. Setting: SLIPWAY_ERROR_RATE_QUERY"
        return Reading("error rate", Verdict.INCONCLUSIVE, found, wanted, candidate.error_rate.query)
    return _measured("error rate", candidate, candidate.error_rate, allowed, lambda v: f"{v:.2%}", wanted, limits)


def latency_gate(candidate: Measured, active: Measured | None, limits: Limits) -> Reading:
    """The candidate's 95th percentile, by itself and beside the active colour's."""
    allowed, before = limits.latency, _known(active, "latency", limits)
    wanted = f"at most {limits.latency:g} s"
    if before is not None:
        beside = max(before * limits.latency_ratio, before + limits.latency_slack)
        allowed = min(allowed, beside)
        wanted += f", and at most {beside:.3f} s beside the active colour's {before:.3f} s"
    value = candidate.latency.value
    if value is not None and not 0 <= value < math.inf:
        found = f"{value:g} s is no latency. Setting: SLIPWAY_LATENCY_QUERY"
        return Reading("latency", Verdict.INCONCLUSIVE, found, wanted, candidate.latency.query)
    return _measured("latency", candidate, candidate.latency, allowed, lambda v: f"{v:.3f} s", wanted, limits)


def _measured(
    gate: str,
    candidate: Measured,
    mine: Value,
    allowed: float,
    show: Callable[[float], str],
    wanted: str,
    limits: Limits,
) -> Reading:
    trouble = candidate.requests.trouble or mine.trouble
    count = candidate.requests.value
    asked = f"{candidate.requests.query}\n{mine.query}"
    if trouble:
        return Reading(gate, Verdict.INCONCLUSIVE, trouble, wanted, asked)
    if count is None or not math.isfinite(count) or mine.value is None:
        return Reading(gate, Verdict.INCONCLUSIVE, "no data", wanted, asked)
    found = f"{show(mine.value)} of {count:.0f} requests"
    if count < limits.requests:
        return Reading(gate, Verdict.INCONCLUSIVE, f"{found}, which are too few", wanted, asked)
    return Reading(gate, Verdict.PASS if mine.value <= allowed else Verdict.FAIL, found, wanted, asked)


def _known(measured: Measured | None, name: str, limits: Limits) -> float | None:
    """The active colour's value, when it is one and had enough requests to mean anything."""
    if measured is None or not limits.requests <= (measured.requests.value or 0) < math.inf:
        return None
    value: float | None = getattr(measured, name).value
    return value if value is not None and 0 <= value < math.inf else None


def _probed(gate: str, wanted: str, phase: Phase, outcomes: Sequence[Outcome], none: str) -> Reading:
    mine = [outcome for outcome in outcomes if outcome.phase is phase]
    rows = tuple(
        {"service": o.service, "passed": o.passed, "found": o.detail, "seconds": round(o.seconds, 2)} for o in mine
    )
    if not mine:
        return Reading(gate, Verdict.INCONCLUSIVE, none, wanted)
    failed = [f"{o.service}: {o.detail}" for o in mine if not o.passed]
    found = f"{len(mine) - len(failed)} of {len(mine)}" + (f"; {'; '.join(failed)}" if failed else "")
    return Reading(gate, Verdict.FAIL if failed else Verdict.PASS, found, wanted, evidence=rows)
