"""The gate over Langfuse: which share of the expected agents left a trace."""

from collections.abc import Mapping
from dataclasses import dataclass

from flows.core.gates.verdict import GateResult, Limits, Verdict


@dataclass(frozen=True)
class Trace:
    """What Langfuse holds of one agent's probe: observations, those of level ERROR, or why it could not say."""

    trace_id: str
    observations: int = 0
    errors: tuple[str, ...] = ()
    trouble: str = ""


def traces_gate(traces: Mapping[str, Trace], limits: Limits, query: str) -> list[GateResult]:
    """Coverage (agents whose probe is traced ÷ agents probed), and the errors in these traces."""
    wanted = f"at least {limits.coverage:.0%} of the agents are traced"
    allowed = f"at most {limits.trace_errors} observations of level ERROR"
    rows = tuple(
        {"agent": name, "trace": t.trace_id, "observations": t.observations, "errors": ", ".join(t.errors),
         "trouble": t.trouble} for name, t in sorted(traces.items())
    )  # fmt: skip
    if trouble := next((t.trouble for t in traces.values() if t.trouble), ""):
        return [
            GateResult("traces", Verdict.INCONCLUSIVE, trouble, wanted, query, evidence=rows),
            GateResult("trace errors", Verdict.INCONCLUSIVE, trouble, allowed, query, evidence=rows),
        ]
    if not traces:
        words = "no workflow probe is traced"
        return [GateResult("traces", Verdict.INCONCLUSIVE, words, wanted, query)]
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
        GateResult("traces", covered, found, wanted, query, evidence=rows),
        GateResult("trace errors", quiet, said, allowed, query, evidence=rows),
    ]
