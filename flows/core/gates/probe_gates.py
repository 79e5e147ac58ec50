"""The gates over probes: health, workflows, tools, data home, order. No data is inconclusive, never a pass."""

from collections.abc import Sequence
from dataclasses import replace

from flows.core.gates.probes import Phase, ProbeResult
from flows.core.gates.verdict import GateResult, Verdict


def health_gate(outcomes: Sequence[ProbeResult]) -> GateResult:
    """The gate over health: passes when every health probe does."""
    return _probed("health", "every health probe passes", Phase.HEALTH, outcomes, "no service has an x-slipway.health")


def workflows_gate(outcomes: Sequence[ProbeResult]) -> GateResult | None:
    """The gate over workflows: passes when every one does; None where the stack has none."""
    mine = [outcome for outcome in outcomes if outcome.phase is Phase.WORKFLOW]
    return _probed("workflows", "every workflow passes", Phase.WORKFLOW, outcomes, "") if mine else None


def tools_gate(outcomes: Sequence[ProbeResult], active: Sequence[ProbeResult]) -> GateResult | None:
    """The gate over MCP tools: the expected ones are offered, and all that the active colour offers; None without MCP.

    A tool that the stack's own list names decides alone: a service with a list may drop tools that are not on it.
    """
    mine = [outcome for outcome in outcomes if outcome.phase is Phase.MCP]
    if not mine:
        return None
    before: dict[str, set[str]] = {}
    for outcome in active:
        if outcome.phase is Phase.MCP and outcome.passed:
            before.setdefault(outcome.service, set()).update(outcome.tools)
    gone = {o.name: sorted(before.get(o.service, set()) - set(o.tools)) for o in mine if o.passed and not o.expected}
    lost = [f"{name}: {', '.join(tools)}" for name, tools in gone.items() if tools]
    reading = _probed("tools", "every expected tool, and those of the active colour", Phase.MCP, outcomes, "")
    if not lost:
        return reading
    return replace(reading, verdict=Verdict.FAIL, found=f"gone since the active release: {'; '.join(lost)}")


def home_gate(outcomes: Sequence[ProbeResult], trouble: str) -> GateResult:
    """The gate over the data home: no colour works without its services."""
    wanted = "the data home answers, and its services are well"
    if trouble:
        return GateResult("data home", Verdict.FAIL, trouble, wanted)
    return _probed("data home", wanted, Phase.HEALTH, outcomes, "nothing there says how it is probed")


def order_gate(candidate: str | None, active: str | None, words: str) -> GateResult:
    """The gate over the order of deploys: the candidate is newer than the active release.

    Args:
        candidate, active: when each was deployed (ISO 8601, UTC), None when no record says it.
        words: what they are.
    """
    wanted = "the candidate is the newer one"
    if not active or (candidate and candidate >= active):
        return GateResult("order", Verdict.PASS, f"{words}: {candidate or 'unknown'}, {active or 'none'}", wanted)
    if not candidate:
        return GateResult("order", Verdict.INCONCLUSIVE, f"{words}: nobody knows when it was put there", wanted)
    found = f"{words}: {candidate} is before {active}. This goes back to an older release"
    return GateResult("order", Verdict.INCONCLUSIVE, found, wanted)


def _probed(gate: str, wanted: str, phase: Phase, outcomes: Sequence[ProbeResult], none: str) -> GateResult:
    mine = [outcome for outcome in outcomes if outcome.phase is phase]
    rows = tuple(
        {"service": o.name, "passed": o.passed, "found": o.detail, "seconds": round(o.seconds, 2)} for o in mine
    )
    if not mine:
        return GateResult(gate, Verdict.INCONCLUSIVE, none, wanted)
    failed = [f"{o.name}: {o.detail}" for o in mine if not o.passed]
    found = f"{len(mine) - len(failed)} of {len(mine)}" + (f"; {'; '.join(failed)}" if failed else "")
    return GateResult(gate, Verdict.FAIL if failed else Verdict.PASS, found, wanted, evidence=rows)
