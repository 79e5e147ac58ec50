"""The gates over traces in Langfuse: coverage, and errors in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flows.core.gates.verdict import GateResult, Limits, Verdict


@dataclass(frozen=True)
class Trace:
    """The trace of one agent's probe in Langfuse.

    Args:
        observations: how many it has.
        errors: names of those of level ERROR.
        trouble: why Langfuse could not be asked.
        expected: whether it is a failure when there is no trace.
    """

    trace_id: str
    observations: int = 0
    errors: tuple[str, ...] = ()
    trouble: str = ""
    expected: bool = True


def traces_gate(traces: Mapping[str, Trace], limits: Limits, query: str) -> list[GateResult]:
    """The gates over trace coverage and over errors in the traces.

    Coverage is: agents that left a trace ÷ agents that left one or should have. An agent of which no trace is expected,
    and none came, is shown and does not count.
    """
    wanted = f"at least {limits.coverage:.0%} of the agents whose trace is expected or came are traced"
    allowed = f"at most {limits.trace_errors} observations of level ERROR"
    rows = tuple(
        {"agent": name, "trace": t.trace_id, "observations": t.observations, "errors": ", ".join(t.errors),
         "expected": t.expected, "trouble": t.trouble} for name, t in sorted(traces.items())
    )  # fmt: skip
    if trouble := next((t.trouble for t in traces.values() if t.trouble), ""):
        return [
            GateResult("traces", Verdict.INCONCLUSIVE, trouble, wanted, query, evidence=rows),
            GateResult("trace errors", Verdict.INCONCLUSIVE, trouble, allowed, query, evidence=rows),
        ]
    counted = {name for name, trace in traces.items() if trace.expected or trace.observations}
    if not counted:
        words = "no workflow probe is traced" + (f", and none is expected to be: {_names(traces)}" if traces else "")
        return [GateResult("traces", Verdict.INCONCLUSIVE, words, wanted, query, evidence=rows)]
    seen = {name for name in counted if traces[name].observations}
    found = f"{len(seen)} of {len(counted)} agents"
    found += f"; without a trace: {_names(counted - seen)}" if counted - seen else ""
    found += f"; none came, and none was expected: {_names(set(traces) - counted)}" if set(traces) - counted else ""
    covered = Verdict.PASS if len(seen) / len(counted) >= limits.coverage else Verdict.FAIL
    errors = [f"{name}: {error}" for name, trace in sorted(traces.items()) for error in trace.errors]
    said = f"{len(errors)}" + (f": {'; '.join(errors[:4])}" if errors else "")
    quiet = Verdict.PASS if len(errors) <= limits.trace_errors else Verdict.FAIL
    if not seen:
        quiet, said = Verdict.INCONCLUSIVE, "no observation to look at"
    return [
        GateResult("traces", covered, found, wanted, query, evidence=rows),
        GateResult("trace errors", quiet, said, allowed, query, evidence=rows),
    ]


def _names(agents: Iterable[str]) -> str:
    return ", ".join(sorted(agents))
