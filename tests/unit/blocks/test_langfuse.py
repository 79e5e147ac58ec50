"""Langfuse: each request, and each answer it is tested with, has the form that the official description gives it.

The description is not a part of this project: SLIPWAY_SPECS says where `langfuse-openapi.yml` is.
"""

import json
import os
from pathlib import Path

import httpx
import pytest
import yaml

from blocks import Langfuse
from blocks.errors import LoginRefused, ProviderFailed, Unreachable
from blocks.http.otlp import Span, traces_body
from tests import CHECKOUT
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit

SPECS = Path(os.environ.get("SLIPWAY_SPECS") or CHECKOUT.parent / "shared/specs")
TRACES, HEALTH, OBSERVATIONS = "/api/public/otel/v1/traces", "/api/public/health", "/api/public/v2/observations"
TRACE = "0af7651916cd43dd8448eb211c80319c"
OBSERVATION = {
    "id": "8448eb211c80319c",
    "traceId": TRACE,
    "startTime": "2026-05-04T12:00:00.000Z",
    "endTime": None,
    "projectId": "p1",
    "parentObservationId": None,
    "type": "SPAN",
    "name": "run",
    # The description requires these of every observation, whatever fields were asked for.
    **dict.fromkeys(("modelId", "inputPrice", "outputPrice", "totalPrice")),
}
ANSWERS = {
    HEALTH: {"status": "OK", "version": "4.16.0"},
    OBSERVATIONS: {"data": [OBSERVATION], "meta": {}},
    TRACES: {},
}


@pytest.fixture(scope="module")
def description():
    path = SPECS / "langfuse-openapi.yml"
    if not path.exists():
        pytest.skip(f"the official description is not at {path}; set SLIPWAY_SPECS to its directory")
    openapi_core = pytest.importorskip("openapi_core")
    whole = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    ours = {name: whole["paths"][name] for name in ANSWERS}
    config = openapi_core.Config(spec_validator_cls=None)
    return openapi_core.OpenAPI.from_dict({**whole, "paths": ours}, config=config)


def block(url: str) -> Langfuse:
    return Langfuse(url=f"{url}/", public_key="pk-lf-1", secret_key="sentinel")


@pytest.fixture
def langfuse():
    with serving(lambda asked: Says(200, ANSWERS[asked.path], {"Content-Type": "application/json"})) as http:
        yield block(http.url), http


def send_trace(langfuse: Langfuse) -> None:
    langfuse.send_trace("build-push", TRACE, {"langfuse.trace.name": "ü"}, 1_700_000_000.5, 1_700_000_001.0)


def send_spans(langfuse: Langfuse) -> None:
    root = Span("release", TRACE, TRACE[:16], 1_700_000_000.5, 1_700_000_001.0)
    step = Span("pull images", TRACE, TRACE[16:], 1_700_000_000.6, 1_700_000_000.9, TRACE[:16], failed="PullFailed")
    langfuse.send_spans(traces_body([root, step], {"service.version": "1"}))


CALLS = {
    "send the spans of a run": send_spans,
    "reach": lambda langfuse: langfuse.reach(),
    "observations": lambda langfuse: langfuse.observations(TRACE),
    "send a trace": send_trace,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_requests_and_answers_are_those_of_the_official_description(description, langfuse, call):
    testing = pytest.importorskip("openapi_core.testing")
    block, http = langfuse
    call(block)
    assert http.asked
    for asked in http.asked:
        given = testing.MockRequest(
            http.url,
            asked.method.lower(),
            asked.path,
            args=_flat(asked.query),
            headers=asked.headers,
            data=asked.body or None,
            content_type=asked.headers.get("content-type", ""),
        )
        description.validate_request(given)
        answer = testing.MockResponse(json.dumps(ANSWERS[asked.path]).encode(), content_type="application/json")
        description.validate_response(given, answer)


def _flat(query: dict[str, list[str]]) -> dict[str, str]:
    return {name: values[0] for name, values in query.items()}


def test_observations_of_one_trace_are_asked_for(langfuse):
    block, http = langfuse
    assert block.observations(TRACE) == [OBSERVATION]
    [asked] = http.asked
    assert _flat(asked.query) == {"traceId": TRACE, "limit": "100", "fields": "core,basic"}
    assert asked.headers["authorization"] == httpx.BasicAuth("pk-lf-1", "sentinel")._auth_header


def test_a_trace_is_one_span_of_otlp(langfuse):
    block, http = langfuse
    send_trace(block)
    [resource] = http.asked[0].json()["resourceSpans"]
    [scope] = resource["scopeSpans"]
    assert scope["spans"] == [
        {
            "traceId": TRACE,
            "spanId": TRACE[:16],
            "name": "build-push",
            "kind": 1,
            "startTimeUnixNano": "1700000000500000000",
            "endTimeUnixNano": "1700000001000000000",
            "attributes": [{"key": "langfuse.trace.name", "value": {"stringValue": "ü"}}],
        }
    ]


def test_it_says_its_version_and_that_it_takes_our_keys(langfuse):
    block, http = langfuse
    assert block.reach() == f"Langfuse 4.16.0 at {http.url}/: keys accepted"


FAILURES = {
    "wrong keys": (Says(401, {"message": "no"}), LoginRefused, "refuses key pk-lf-1 .401."),
    "no right": (Says(403), LoginRefused, "refuses key pk-lf-1 .403."),
    "an error": (Says(500, b"no clickhouse"), ProviderFailed, f"GET {OBSERVATIONS}: 500 no clickhouse"),
    "too many": (Says(429), ProviderFailed, "429"),
    "no Langfuse": (Says(200, b"<html>"), ProviderFailed, "no JSON: <html>"),
    "no observations": (Says(200, {"items": []}), ProviderFailed, "no `data`"),
    "nothing": (Says(200, b""), ProviderFailed, "no `data`"),
    "something else": (Says(200, {"data": "x"}), ProviderFailed, "no `data`"),
}


@pytest.mark.parametrize(("says", "kind", "words"), FAILURES.values(), ids=FAILURES)
def test_an_answer_that_holds_no_observations_is_an_error_and_shows_no_key(says, kind, words):
    with serving(lambda _asked: says) as http, pytest.raises(kind, match=words) as error:
        block(http.url).observations(TRACE)
    assert "sentinel" not in str(error.value)


def test_a_server_that_is_not_there_is_unreachable():
    with pytest.raises(Unreachable, match=r"Langfuse at http://127\.0\.0\.1:1/ cannot be reached"):
        block("http://127.0.0.1:1").reach()
