"""Probes: which services are asked at which address, what is asked again, and what becomes of errors."""

import logging
from contextlib import contextmanager

import httpx
import pytest

from blocks.errors import ProviderFailed
from flows.core.gates.probes import Phase
from flows.settings import Settings
from flows.tasks.gates import probes
from flows.tasks.gates.measurements import read_metrics, read_traces
from flows.tasks.gates.probe_targets import ProbeTargets
from flows.tasks.gates.probes import probe_health, probe_mcp, probe_workflows
from tests.support.builders import container, stack

pytestmark = pytest.mark.unit
SERVICES = {
    "web": {"x-slipway": {"health": "/up", "port": 8000}},
    "jobs": {"x-slipway": {"health": "/health", "port": 9000}},
    "tools": {"x-slipway": {"mcp": {"path": "/mcp", "tools": ["ask"]}, "port": 8000}},
    "agent": {"x-slipway": {"workflow": {"post": "/ask", "body": {}, "expect": "answer"}, "port": 8000}},
    "cache": {},
}


@pytest.fixture
def answers(monkeypatch):
    """URL → answers or errors, one after another, the last one again and again; `asked` lists the URLs."""
    says: dict[str, list] = {"asked": []}

    def handle(request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        says["asked"].append(url)
        left = says[url]
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @contextmanager
    def client(_session, _timeout):
        with httpx.Client(transport=httpx.MockTransport(handle)) as http:
            yield http

    monkeypatch.setattr(probes, "http_client", client)
    monkeypatch.setattr(probes, "get_run_logger", lambda: logging.getLogger("test"))
    monkeypatch.setattr(probes, "_PAUSE", 0.001)
    return says


def targets(*running: str, patience: float = 60.0) -> ProbeTargets:
    containers = [container(name, address=f"10.0.0.{n}") for n, name in enumerate(running, 1)]
    settings = Settings(health_patience=patience, trace_timeout=patience or 1.0)
    return ProbeTargets(stack(SERVICES), containers, None, settings)


def test_no_probe_and_no_reading_goes_on_for_ever():
    for one in (probe_health, probe_mcp, probe_workflows, read_metrics, read_traces):
        assert one.timeout_seconds == probes.LONGEST


def test_every_service_with_a_health_path_is_asked_at_its_containers_address(answers):
    answers.update(
        {"http://10.0.0.1:8000/up": [httpx.Response(200)], "http://10.0.0.2:9000/health": [httpx.Response(204)]}
    )
    found = probe_health.fn(targets("web", "jobs", "cache"))
    assert [(one.service, one.phase, one.passed) for one in found] == [
        ("web", Phase.HEALTH, True),
        ("jobs", Phase.HEALTH, True),
    ]


def test_a_service_that_does_not_run_is_not_asked(answers):
    answers["http://10.0.0.1:8000/up"] = [httpx.Response(200)]
    [web, jobs] = probe_health.fn(targets("web"))
    assert (web.passed, jobs.passed, jobs.detail) == (True, False, "not running")


def test_one_that_does_not_answer_well_is_asked_again_while_there_is_time(answers):
    answers["http://10.0.0.1:8000/up"] = [httpx.Response(503), httpx.ConnectError("refused"), httpx.Response(200)]
    assert probe_health.fn(targets("web"))[0].passed
    assert len(answers["asked"]) == 3


@pytest.mark.parametrize(
    ("answer", "detail"),
    [(httpx.ConnectError("refused"), "ConnectError: refused"), (httpx.Response(503, text="full"), "503")],
)
def test_without_time_it_is_asked_once_and_its_answer_is_the_detail(answers, answer, detail):
    answers["http://10.0.0.1:8000/up"] = [answer, httpx.Response(200)]
    web = probe_health.fn(targets("web", patience=0.0))[0]
    assert (web.passed, len(answers["asked"])) == (False, 1)
    assert detail in web.detail


def test_an_mcp_server_that_answers_with_an_error_fails_in_its_own_words(answers):
    answers["http://10.0.0.1:8000/mcp"] = [httpx.Response(404, text="no such page")]
    [tools] = probe_mcp.fn(targets("tools", patience=0.0))
    assert (tools.passed, tools.expected, tools.detail) == (False, ("ask",), "initialize: 404 no such page")


class Langfuse:
    """Answers with these, one after another: a number of observations, or an error."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def observations(self, trace_id):
        self.asked.append(trace_id)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return [{}] * answer


def workflows(answers, langfuse, patience=60.0):
    answers["http://10.0.0.1:8000/ask"] = [httpx.Response(200, json={"answer": "42"})]
    return probe_workflows.fn(targets("agent", patience=patience), langfuse)


def test_the_trace_of_a_workflow_is_looked_for_until_it_is_there(answers):
    langfuse = Langfuse(0, ProviderFailed("503"), 2)
    workflow, trace = workflows(answers, langfuse)
    assert (workflow.phase, workflow.passed) == (Phase.WORKFLOW, True)
    assert (trace.phase, trace.passed, trace.known) == (Phase.TRACE, True, True)
    assert langfuse.asked == [workflow.trace_id] * 3


def test_a_trace_that_cannot_be_looked_for_is_not_known(answers):
    _, trace = workflows(answers, Langfuse(ProviderFailed("503 from Langfuse")), patience=0.01)
    assert (trace.passed, trace.known, trace.detail) == (False, False, "503 from Langfuse")


def test_without_a_langfuse_only_the_workflow_is_run(answers):
    assert [one.phase for one in workflows(answers, None)] == [Phase.WORKFLOW]
