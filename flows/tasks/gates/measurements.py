"""Measurements for the gates: requests made during a window, metrics of both colours, traces of the probes."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from blocks import Langfuse, Prometheus
from blocks.errors import OutsideError
from blocks.polling import until
from flows.core.gates.metrics import Measured, Value, expression, single
from flows.core.gates.probes import Phase, ProbeResult
from flows.core.gates.trace_gates import Trace
from flows.core.gates.verdict import Limits
from flows.core.steps import Step
from flows.settings import Settings
from flows.tasks.gates.probe_targets import ProbeTargets
from flows.tasks.gates.probes import LONGEST, probe_workflows
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import mask
from flows.tasks.runs.retries import ONCE

_ERROR = "ERROR"
_PAUSE = 0.3


def limits(settings: Settings) -> Limits:
    """The limits of the gates, from the settings."""
    s = settings
    return Limits(
        requests=s.gate_requests,
        error_rate=s.gate_error_rate,
        error_margin=s.gate_error_margin,
        latency=s.gate_latency,
        latency_ratio=s.gate_latency_ratio,
        latency_slack=s.gate_latency_slack,
        coverage=s.gate_coverage,
        trace_errors=s.gate_trace_errors,
    )


@task(name=Step.WINDOW.value, task_run_name="let requests come for {settings.gate_window} s", **ONCE)
def generate_traffic(probes: Sequence[ProbeTargets], deadline: float, settings: Settings) -> list[ProbeResult]:
    """Run the workflow probes again and again until the window is over: a colour without requests has no metrics.

    Args:
        deadline: when the window is over, by the monotonic clock.

    Returns the results that failed, from whichever round.
    """
    failed: list[ProbeResult] = []
    while (left := deadline - time.monotonic()) > 0:
        if not any(one.services(lambda service: service.extension.workflow) for one in probes):
            time.sleep(left)
            break
        for one in probes:
            failed += [outcome for outcome in probe_workflows.fn(one, None) if outcome.failed]
        time.sleep(max(0.0, min(settings.gate_pause, deadline - time.monotonic())))
    return [replace(outcome, detail=mask(outcome.detail)) for outcome in failed]


@task(name=Step.METRICS.value, task_run_name="read the metrics of {stack}", timeout_seconds=LONGEST, **ONCE)
def read_metrics(
    prometheus: Prometheus, stack: str, colours: Sequence[str], window: float, settings: Settings
) -> dict[str, Measured]:
    """Requests, error rate and latency of each colour from Prometheus; a value that cannot be had says why."""
    templates = (settings.requests_query, settings.error_rate_query, settings.latency_query)
    asked = [
        expression(template, colour, settings.colours.droplets(colour), stack, window)
        for colour in colours
        for template in templates
    ]

    def ask(query: str) -> Value:
        try:
            return Value(query, single(prometheus.query(query, settings.provider_timeout)))
        except OutsideError as error:
            return Value(query, trouble=mask(str(error)))

    with ThreadPoolExecutor(len(asked)) as pool:
        values = list(pool.map(ask, asked))
    return {colour: Measured(*values[n * 3 : n * 3 + 3]) for n, colour in enumerate(colours)}


@task(name=Step.TRACES.value, task_run_name=Step.TRACES.value, timeout_seconds=LONGEST, **ONCE)
def read_traces(
    langfuse: Langfuse, outcomes: Sequence[ProbeResult], patience: float, timeout: float
) -> dict[str, Trace]:
    """The trace of each workflow probe from Langfuse, waited for `patience` seconds.

    Ingestion is asynchronous, so one that is not there yet is asked for again; one that cannot be asked for is not.
    """
    deadline = time.monotonic() + patience
    wanted = [o for o in outcomes if o.phase is Phase.WORKFLOW and o.trace_id]

    def look(workflow: ProbeResult) -> Trace:
        expected = workflow.trace_expected
        try:
            found = langfuse.observations(workflow.trace_id, timeout)
        except OutsideError as error:
            return Trace(workflow.trace_id, trouble=mask(str(error)), expected=expected)
        errors = [str(o.get("name") or "an observation") for o in found if o.get("level") == _ERROR]
        return Trace(workflow.trace_id, len(found), tuple(mask(name) for name in errors), expected=expected)

    def wait(workflow: ProbeResult) -> Trace:
        return until(
            lambda: look(workflow),
            lambda trace: trace.observations or trace.trouble,
            deadline - time.monotonic(),
            pause=_PAUSE,
        )

    with ThreadPoolExecutor(max(1, len(wanted))) as pool:
        return dict(zip((o.service for o in wanted), pool.map(wait, wanted), strict=True))
