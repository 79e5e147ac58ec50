"""The gates over Prometheus: error rate and latency."""

import math
from collections.abc import Callable

from flows.core.gates.metrics import Measured, Value
from flows.core.gates.verdict import GateResult, Limits, Verdict


def error_rate_gate(candidate: Measured, active: Measured | None, limits: Limits) -> GateResult:
    """The gate over the share of failed requests: against the threshold, and against the active colour."""
    allowed, before = limits.error_rate, _known(active, "error_rate", limits)
    wanted = f"at most {limits.error_rate:.2%} of at least {limits.requests} requests"
    if before is not None:
        allowed = min(allowed, before + limits.error_margin)
        wanted += f", and at most {limits.error_margin:.2%} above the active colour's {before:.2%}"
    value = candidate.error_rate.value
    if value is not None and not 0 <= value <= 1:
        found = f"{value:g} is no share of anything. Setting: SLIPWAY_ERROR_RATE_QUERY"
        return GateResult("error rate", Verdict.INCONCLUSIVE, found, wanted, candidate.error_rate.query)
    return _measured("error rate", candidate, candidate.error_rate, allowed, lambda v: f"{v:.2%}", wanted, limits)


def latency_gate(candidate: Measured, active: Measured | None, limits: Limits) -> GateResult:
    """The gate over the 95th percentile of latency: against the threshold, and against the active colour."""
    allowed, before = limits.latency, _known(active, "latency", limits)
    wanted = f"at most {limits.latency:g} s"
    if before is not None:
        beside = max(before * limits.latency_ratio, before + limits.latency_slack)
        allowed = min(allowed, beside)
        wanted += f", and at most {beside:.3f} s beside the active colour's {before:.3f} s"
    value = candidate.latency.value
    if value is not None and not 0 <= value < math.inf:
        found = f"{value:g} s is no latency. Setting: SLIPWAY_LATENCY_QUERY"
        return GateResult("latency", Verdict.INCONCLUSIVE, found, wanted, candidate.latency.query)
    return _measured("latency", candidate, candidate.latency, allowed, lambda v: f"{v:.3f} s", wanted, limits)


def _measured(
    gate: str,
    candidate: Measured,
    mine: Value,
    allowed: float,
    show: Callable[[float], str],
    wanted: str,
    limits: Limits,
) -> GateResult:
    trouble = candidate.requests.trouble or mine.trouble
    count = candidate.requests.value
    asked = f"{candidate.requests.query}\n{mine.query}"
    if trouble:
        return GateResult(gate, Verdict.INCONCLUSIVE, trouble, wanted, asked)
    if count is None or not math.isfinite(count) or mine.value is None:
        return GateResult(gate, Verdict.INCONCLUSIVE, "no data", wanted, asked)
    found = f"{show(mine.value)} of {count:.0f} requests"
    if count < limits.requests:
        return GateResult(gate, Verdict.INCONCLUSIVE, f"{found}, which are too few", wanted, asked)
    return GateResult(gate, Verdict.PASS if mine.value <= allowed else Verdict.FAIL, found, wanted, asked)


def _known(measured: Measured | None, name: str, limits: Limits) -> float | None:
    """The active colour's value, when there is one and it comes from enough requests."""
    if measured is None or not limits.requests <= (measured.requests.value or 0) < math.inf:
        return None
    value: float | None = getattr(measured, name).value
    return value if value is not None and 0 <= value < math.inf else None
