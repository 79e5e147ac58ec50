"""A run as a trace: a span for each flow and step, taken by Langfuse's stand-in and by a collector; off, nothing."""

import subprocess
import sys
import uuid

import httpx
import pytest
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pydantic import ValidationError

from blocks import Langfuse
from blocks import langfuse as langfuse_block
from flows.settings import Settings
from flows.tasks.runs.declaration import flow, task
from flows.tasks.runs.tracing import recording, sending
from flows.tasks.runs.tracing.recording import traced_run, traced_step
from flows.tasks.runs.tracing.sending import otlp_headers, traces_url
from tests import CHECKOUT
from tests.support.http_server import Says, serving
from tests.support.langfuse_in_process import AUTH, standin

pytestmark = pytest.mark.unit
SECRET = "hunter2-4711"


@task(name="step")
def step(password: str) -> str:
    return password


@task(name="fails")
def fails(password: str) -> None:
    raise ValueError(password)


@flow(name="inner")
def inner(password: str = SECRET) -> None:
    step.fn(password)


@flow(name="outer")
def outer(password: str = SECRET) -> str:
    inner.fn(password)
    with pytest.raises(ValueError, match=SECRET):
        fails.fn(password)
    return "done"


@pytest.fixture
def collector(monkeypatch):
    """A collector, and the setting that leads there."""
    with serving(lambda _asked: Says(200, {})) as http:
        monkeypatch.setenv("SLIPWAY_TRACES_TO", http.url)
        yield http


@pytest.fixture
def langfuse(monkeypatch):
    """The stand-in of Langfuse, which the block asks as if it were far away."""
    with standin() as client:
        block = Langfuse(url="http://127.0.0.1:3000", public_key=AUTH[0], secret_key=AUTH[1])

        def asked(method, address, _within, **more):
            said = client.request(method, address.removeprefix(block.url), **more)
            return httpx.Response(said.status_code, content=said.content)

        monkeypatch.setattr(langfuse_block, "request_within", asked)
        monkeypatch.setattr(sending, "load_langfuse", lambda _settings: block)
        monkeypatch.setenv("SLIPWAY_TRACES_TO", "langfuse")
        yield block


def spans(http) -> list[dict]:
    (asked,) = http.asked
    assert asked.path == "/v1/traces"
    # Every field is one of the protocol's; ids are hex digits there, which are letters of protobuf's base64, too.
    Parse(asked.body, ExportTraceServiceRequest())
    (resource,) = asked.json()["resourceSpans"]
    (scope,) = resource["scopeSpans"]
    return scope["spans"]


def test_each_flow_and_step_is_a_span_below_the_one_that_called_it(collector):
    assert outer.fn() == "done"
    found = {span["name"]: span for span in spans(collector)}
    assert set(found) == {"outer", "inner", "step", "fails"}
    assert len({span["traceId"] for span in found.values()}) == 1
    parents = {name: span.get("parentSpanId") for name, span in found.items()}
    of = {name: span["spanId"] for name, span in found.items()}
    assert parents == {"outer": None, "inner": of["outer"], "step": of["inner"], "fails": of["outer"]}
    assert all(int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]) for span in found.values())
    assert found["fails"]["status"] == {"code": 2, "message": "ValueError"}
    assert "status" not in found["outer"]


def test_no_parameter_and_no_text_of_an_error_is_in_it(collector):
    outer.fn()
    assert SECRET not in collector.asked[0].body.decode()


def test_a_run_that_fails_is_told_and_fails_with_its_own_error(collector):
    @flow(name="ends badly")
    def ends_badly() -> None:
        raise LookupError("its own")

    with pytest.raises(LookupError, match="its own"):
        ends_badly.fn()
    (span,) = spans(collector)
    assert (span["name"], span["status"]["message"]) == ("ends badly", "LookupError")


def test_the_stand_in_of_langfuse_takes_it_as_one_trace_named_after_the_run(langfuse):
    run = str(uuid.uuid4())
    with traced_run("release", run), traced_step("pull images"):
        pass
    found = {one["name"]: one for one in langfuse.observations(run.replace("-", ""))}
    assert set(found) == {"release", "pull images"}
    assert found["pull images"]["parentObservationId"] == found["release"]["id"]


@pytest.mark.parametrize("status", [401, 500, 200])
def test_what_takes_no_trace_fails_no_run(monkeypatch, caplog, status):
    def answer(_asked):
        return Says(status, b"no " + SECRET.encode())

    with serving(answer) as http:
        monkeypatch.setenv("SLIPWAY_TRACES_TO", f"{http.url}/otlp")
        assert outer.fn() == "done"
        assert [asked.path for asked in http.asked] == ["/otlp"]
    monkeypatch.setenv("SLIPWAY_TRACES_TO", "http://127.0.0.1:1/v1/traces")
    assert outer.fn() == "done"
    monkeypatch.setattr(sending, "load_langfuse", lambda _settings: None)
    monkeypatch.setenv("SLIPWAY_TRACES_TO", "langfuse")
    assert outer.fn() == "done"
    said = [record.getMessage() for record in caplog.records if "was not taken" in record.getMessage()]
    assert len(said) == (2 if status == 200 else 3)
    assert "slipway langfuse set" in said[-1]


def test_off_nothing_is_recorded_imported_or_asked(monkeypatch):
    monkeypatch.setenv("SLIPWAY_TRACES_TO", "")
    monkeypatch.setattr(recording, "RecordedSpan", None)
    monkeypatch.setattr(recording, "_send", lambda _trace, settings: None if settings is None else 1 / 0)
    assert outer.fn() == "done"
    asks = "import sys, flows.tasks.runs.declaration; sys.exit('flows.tasks.runs.tracing.sending' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asks], cwd=CHECKOUT, check=False, timeout=120).returncode == 0


def test_settings_are_read_once_a_run_and_what_is_wrong_with_them_is_not_ours_to_tell(monkeypatch):
    read = []

    def broken():
        read.append(1)
        raise OSError("no")

    monkeypatch.setattr(recording, "Settings", broken)
    assert outer.fn() == "done"
    assert len(read) == 1


def test_of_a_watch_that_goes_on_for_hours_only_so_many_spans_are_kept(collector, monkeypatch):
    monkeypatch.setattr(recording, "MOST_SPANS", 3)
    with traced_run("watch", ""):
        for _ in range(10):
            with traced_step("read metrics"):
                pass
    root = spans(collector)[-1]
    assert (len(spans(collector)), root["name"]) == (4, "watch")
    assert {"key": "slipway.spans_dropped", "value": {"stringValue": "7"}} in root["attributes"]


def test_a_step_outside_of_a_run_and_a_cancelled_run_are_sent_nowhere(collector):
    step.fn(SECRET)
    with pytest.raises(KeyboardInterrupt), traced_run("cancelled", ""):
        raise KeyboardInterrupt
    assert collector.asked == []


def test_the_login_is_that_of_every_exporter_and_goes_to_no_other_machine_by_http(collector, monkeypatch, caplog):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"Authorization=Bearer%20{SECRET}, x-team = one,odd")
    outer.fn()
    assert collector.asked[0].headers["authorization"] == f"Bearer {SECRET}"
    assert collector.asked[0].headers["x-team"] == "one"
    monkeypatch.setenv("SLIPWAY_TRACES_TO", "http://collector.example.com:4318")
    outer.fn()
    assert "NotEncrypted" in caplog.text
    assert SECRET not in caplog.text


def test_where_it_goes_is_an_endpoint_or_langfuse_and_nothing_else(monkeypatch):
    assert traces_url("https://otel.example.com") == "https://otel.example.com/v1/traces"
    assert traces_url("https://otel.example.com/") == "https://otel.example.com/v1/traces"
    assert traces_url("https://otel.example.com/api/otlp") == "https://otel.example.com/api/otlp"
    for odd in ("ftp://x", "langfuse2", "http://user:word@x", "http://x y"):
        with pytest.raises(ValidationError):
            Settings(traces_to=odd)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "b=2")
    assert otlp_headers() == {"a": "1"}
