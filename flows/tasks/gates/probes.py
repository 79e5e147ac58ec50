"""Probes of the services of a droplet, in parallel, through its SSH connection."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex

import httpx
from prefect.logging import get_run_logger

from blocks import Langfuse
from blocks.errors import OutsideError
from blocks.polling import until
from blocks.ssh.http import http_client
from flows.core.gates.probes import (
    Phase,
    ProbeResult,
    host_refused,
    judge_health,
    judge_tools,
    judge_workflow,
    trace_result,
    traceparent,
)
from flows.core.stack.stack import Service
from flows.core.steps import Step
from flows.tasks.gates.mcp import McpFailed, list_tools
from flows.tasks.gates.probe_targets import Endpoint, ProbeTargets
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import mask
from flows.tasks.runs.retries import ONCE

MAX_PARALLEL = 16
# Seconds. Each answer has its own deadline; this ends what a droplet makes endless by many containers.
LONGEST = 3600
_PAUSE = 0.1
_NO_ANSWER = (httpx.HTTPError, McpFailed)
# Passed, why in words, and the tools that were offered.
Answered = tuple[bool, str, tuple[str, ...]]


@task(name=Step.HEALTH.value, task_run_name="probe the health of every service", timeout_seconds=LONGEST, **ONCE)
def probe_health(probes: ProbeTargets) -> list[ProbeResult]:
    """Health of every container of the services that name a health path, by a GET."""

    def ask(client: httpx.Client, endpoint: Endpoint, url: str) -> Answered:
        answer = client.get(url, headers={"Host": endpoint.service.probe_host})
        return *judge_health(answer.status_code, answer.text, mask), ()

    return _probe_all(
        probes,
        Phase.HEALTH,
        services=probes.services(lambda s: s.extension.health),
        path=lambda s: s.extension.health or "/",
        ask=ask,
    )


@task(name=Step.TOOLS.value, task_run_name=Step.TOOLS.value, timeout_seconds=LONGEST, **ONCE)
def probe_mcp(probes: ProbeTargets) -> list[ProbeResult]:
    """Tools of every container of the services that speak MCP, as it lists them."""

    def ask(client: httpx.Client, endpoint: Endpoint, url: str) -> Answered:
        assert endpoint.service.extension.mcp is not None
        tools, revision = list_tools(client, url, {"Host": endpoint.service.probe_host})
        passed, words = judge_tools(endpoint.service.extension.mcp, tools)
        return passed, f"{words} ({revision})", tuple(sorted(tools))

    return _probe_all(
        probes,
        Phase.MCP,
        services=probes.services(lambda s: s.extension.mcp),
        path=lambda s: s.extension.mcp.path if s.extension.mcp else "/",
        ask=ask,
    )


@task(
    name=Step.WORKFLOWS.value,
    task_run_name="run one workflow for each agent, and find its trace",
    timeout_seconds=LONGEST,
    **ONCE,
)
def probe_workflows(probes: ProbeTargets, langfuse: Langfuse | None) -> list[ProbeResult]:
    """One workflow of every service that names one, each with a trace id of its own; none is run twice.

    A workflow does something, and may cost something: of several replicas one runs it.

    Returns their results, then those of the traces. With a Langfuse, each trace is looked for as soon as its workflow
    has passed; ingestion is asynchronous, so it is waited for, with a deadline.
    """
    services = probes.services(lambda s: s.extension.workflow)

    def probe(client: httpx.Client, service: Service) -> list[ProbeResult]:
        workflow = _run_workflow(probes, client, service)
        if langfuse is None or not workflow.traced or not workflow.passed:
            return [workflow]
        return [workflow, _find_trace(langfuse, workflow, probes.settings.trace_timeout)]

    with _pool(services) as pool, http_client(probes.session, probes.settings.probe_timeout) as client:
        found = [outcome for mine in pool.map(lambda s: probe(client, s), services) for outcome in mine]
    return sorted(found, key=lambda outcome: outcome.phase is Phase.TRACE)


def _run_workflow(probes: ProbeTargets, client: httpx.Client, service: Service) -> ProbeResult:
    probe = service.extension.workflow
    assert probe is not None
    trace_id = token_hex(16)
    endpoint = next(iter(probes.endpoints(service)), None)
    if endpoint is None:
        return ProbeResult(service.name, Phase.WORKFLOW, False, probes.missing(service))
    headers = {"Host": endpoint.service.probe_host, "traceparent": traceparent(trace_id)}
    began = time.monotonic()
    try:
        answer = client.request(
            probe.method, endpoint.url(probe.path), json=probe.body, timeout=probe.timeout, headers=headers
        )
        passed, words = judge_workflow(probe, answer.status_code, answer.text, mask)
        words += "" if passed else host_refused(words, endpoint.service.probe_host)
    except httpx.HTTPError as error:
        passed, words = False, f"{probe.method} {probe.path}: {_failure_message(error)}"
    seconds = time.monotonic() - began
    return ProbeResult(
        service.name, Phase.WORKFLOW, passed, words, seconds, trace_id,
        traced=probe.trace_wanted, trace_expected=probe.trace_expected(service.name in probes.traced),
    )  # fmt: skip


def _find_trace(langfuse: Langfuse, outcome: ProbeResult, patience: float) -> ProbeResult:
    def look() -> tuple[int, str]:
        try:
            return len(langfuse.observations(outcome.trace_id)), ""
        except OutsideError as error:
            return 0, str(error)

    began = time.monotonic()
    found, trouble = until(look, lambda seen: seen[0], patience, pause=_PAUSE)
    return trace_result(outcome, found, time.monotonic() - began, trouble)


def _probe_all(
    probes: ProbeTargets,
    phase: Phase,
    *,
    services: list[Service],
    path: Callable[[Service], str],
    ask: Callable[[httpx.Client, Endpoint, str], Answered],
) -> list[ProbeResult]:
    """Probe every container of services in parallel; one that does not answer well is probed again while
    `health_patience` lasts."""
    deadline = time.monotonic() + probes.settings.health_patience
    log = get_run_logger()

    def probe(client: httpx.Client, endpoint: Endpoint) -> ProbeResult:
        service = endpoint.service
        expected = service.extension.mcp.tools if service.extension.mcp and phase is Phase.MCP else ()

        def once() -> ProbeResult:
            began = time.monotonic()
            try:
                passed, words, tools = ask(client, endpoint, endpoint.url(path(service)))
            except _NO_ANSWER as error:
                passed, words, tools = False, _failure_message(error), ()
            words += "" if passed else host_refused(words, endpoint.service.probe_host)
            return ProbeResult(
                service.name, phase, passed, words, time.monotonic() - began,
                tools=tools, expected=expected, container=endpoint.container,
            )  # fmt: skip

        return until(
            once,
            lambda result: result.passed,
            deadline - time.monotonic(),
            pause=_PAUSE,
            tell=lambda result, _: log.debug("%s: %s; asking again", result.name, result.detail),
        )

    endpoints = [endpoint for service in services for endpoint in probes.endpoints(service)]
    absent = [ProbeResult(s.name, phase, False, words) for s in services if (words := probes.missing(s))]
    with _pool(endpoints) as pool, http_client(probes.session, probes.settings.probe_timeout) as client:
        return [*pool.map(lambda endpoint: probe(client, endpoint), endpoints), *absent]


def _pool(work: Sequence[object]) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, min(MAX_PARALLEL, len(work))))


def _failure_message(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if not isinstance(error, McpFailed) else str(error)
