"""Each workflow is a trace of the caller's id, and reaches Langfuse as OTLP when there is a Langfuse."""

import base64
import logging
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.sample_in_process import COMPOSE, TRACE, TRACEPARENT, client, module, spans_of

pytestmark = pytest.mark.unit

WORKFLOWS = {
    name: it["x-slipway"]["workflow"] for name, it in COMPOSE["services"].items() if "workflow" in it["x-slipway"]
}


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))


def send(http, workflow, headers):
    if "get" in workflow:
        return http.get(workflow["get"], headers=headers)
    return http.post(workflow["post"], json=workflow["body"], headers=headers)


@pytest.mark.parametrize("service", WORKFLOWS)
def test_a_workflow_is_a_span_of_the_callers_trace(service):
    with spans_of(service) as spans, client(service) as http:
        send(http, WORKFLOWS[service], TRACEPARENT)
        (span,) = spans.get_finished_spans()
    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == "00f067aa0ba902b7"
    assert span.resource.attributes["service.name"] == service
    assert span.attributes["langfuse.trace.name"].startswith(service)
    assert span.attributes["langfuse.environment"] == "default"
    assert WORKFLOWS[service]["expect"] in span.attributes["langfuse.observation.output"]


def test_without_a_caller_each_request_is_a_trace_of_its_own():
    with spans_of("cicd") as spans, client("cicd") as http:
        for _ in range(2):
            send(http, WORKFLOWS["cicd"], {})
        assert len({span.context.trace_id for span in spans.get_finished_spans()}) == 2


def test_a_broken_traceparent_is_no_error():
    with spans_of("cicd") as spans, client("cicd") as http:
        assert send(http, WORKFLOWS["cicd"], {"traceparent": "nonsense"}).status_code == 200
        assert spans.get_finished_spans()[0].parent is None


def test_health_and_metrics_make_no_spans():
    with spans_of("cicd") as spans, client("cicd") as http:
        http.get("/health")
        http.get("/metrics")
        assert spans.get_finished_spans() == ()


def test_an_orchestration_is_one_trace_through_all_its_agents():
    services = ("orchestrator", "feature-dev", "code-review", "documentation", "state-persistence")
    with spans_of(*services) as spans, client("orchestrator") as http:
        send(http, WORKFLOWS["orchestrator"], TRACEPARENT)
        done = spans.get_finished_spans()
    assert sorted(span.resource.attributes["service.name"] for span in done) == sorted(services)
    assert {f"{span.context.trace_id:032x}" for span in done} == {TRACE}


def test_a_failure_of_the_service_marks_its_span_and_a_refusal_does_not(monkeypatch, tmp_path):
    with spans_of("state-persistence") as spans, client("state-persistence") as http:
        http.get("/tasks/missing")
        monkeypatch.setenv("DATA_DIR", str(tmp_path / "missing"))
        http.get("/tasks")
        refused, failed = spans.get_finished_spans()
    assert (refused.status.is_ok, refused.attributes["http.response.status_code"]) == (True, 404)
    assert not failed.status.is_ok


def test_what_is_recorded_is_cut():
    with spans_of("code-review") as spans, client("code-review") as http:
        http.post("/review", json={"code": "x = 1\n" * 20_000})
        assert len(spans.get_finished_spans()[0].attributes["langfuse.observation.input"]) == 4000


def test_without_a_langfuse_nothing_is_sent_and_nothing_is_logged(caplog):
    tracing = module("cicd").agent.tracing.__class__("cicd", "dev", env={"LANGFUSE_HOST": ""})
    with caplog.at_level(logging.WARNING):
        with tracing.workflow("GET /", {}):
            pass
        tracing.load()
        tracing.flush()
    assert tracing.exporter is None
    assert caplog.records == []


@pytest.fixture
def langfuse():
    """A host that keeps what is posted to it: (path, headers, body)."""
    received = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append((self.path, self.headers, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Keep)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", received
    server.shutdown()
    server.server_close()


def test_spans_arrive_at_langfuse_as_protobuf_with_its_keys(langfuse):
    host, received = langfuse
    env = {
        "LANGFUSE_HOST": host,
        "LANGFUSE_PUBLIC_KEY": "public",
        "LANGFUSE_SECRET_KEY": "secret",
        "LANGFUSE_TRACING_ENVIRONMENT": "production",
    }
    tracing = module("cicd").agent.tracing.__class__("cicd", "abc123", env)
    with tracing.workflow("POST /generate-pipeline", TRACEPARENT):
        pass
    tracing.flush()
    tracing.provider.shutdown()
    path, headers, body = received[0]
    assert path == "/api/public/otel/v1/traces"
    assert headers["authorization"] == f"Basic {base64.b64encode(b'public:secret').decode()}"
    assert headers["content-type"] == "application/x-protobuf"
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    assert {it.key: it.value.string_value for it in resource.resource.attributes} == {
        "service.name": "cicd",
        "service.version": "abc123",
    }
    (span,) = resource.scope_spans[0].spans
    assert span.trace_id.hex() == TRACE
    assert {it.key: it.value.string_value for it in span.attributes} == {
        "langfuse.trace.name": "cicd POST /generate-pipeline",
        "langfuse.environment": "production",
        "langfuse.release": "abc123",
    }
