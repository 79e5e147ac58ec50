"""Every answer of the Langfuse stand-in has the form that the official API description gives it.

The description is not a part of this project: SLIPWAY_SPECS says where `langfuse-openapi.yml` is.
"""

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from tests import CHECKOUT
from tests.support.langfuse_in_process import at, export, standin, trace

pytestmark = pytest.mark.unit
SPEC = Path(os.environ.get("SLIPWAY_SPECS") or CHECKOUT.parent / "shared" / "specs") / "langfuse-openapi.yml"
TRACES, HEALTH = "/api/public/otel/v1/traces", "/api/public/health"
OBSERVATIONS, METRICS = "/api/public/v2/observations", "/api/public/v2/metrics"
EVERY_FIELD = "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context"


@pytest.fixture(scope="module")
def description():
    if not SPEC.exists():
        pytest.skip(f"the official description is not at {SPEC}; set SLIPWAY_SPECS to its directory")
    openapi_core = pytest.importorskip("openapi_core")
    whole = yaml.load(SPEC.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    ours = {path: whole["paths"][path] for path in (TRACES, HEALTH, OBSERVATIONS, METRICS)}
    config = openapi_core.Config(spec_validator_cls=None)
    return openapi_core.OpenAPI.from_dict({**whole, "paths": ours}, config=config)


@pytest.fixture
def http():
    with standin() as client:
        for number in range(3):
            export(
                client, trace("work", {"langfuse.release": "r1"}, span=number + 1, start=at(number), failed=number > 1)
            )
        yield client


def metrics(**query):
    counted = [{"measure": "count", "aggregation": "count"}, {"measure": "latency", "aggregation": "p95"}]
    times = {"fromTimestamp": "2026-01-01T00:00:00Z", "toTimestamp": "2026-01-02T00:00:00Z"}
    return {"query": json.dumps({"view": "observations", "metrics": counted, **times, **query})}


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        (HEALTH, {}, 200),
        (OBSERVATIONS, {}, 200),
        (OBSERVATIONS, {"fields": EVERY_FIELD}, 200),
        (OBSERVATIONS, {"fields": EVERY_FIELD, "limit": "1"}, 200),
        (OBSERVATIONS, {"traceId": "0" * 32}, 200),
        (OBSERVATIONS, {"filter": "["}, 400),
        (METRICS, metrics(), 200),
        (METRICS, metrics(dimensions=[{"field": "level"}], timeDimension={"granularity": "hour"}), 200),
        (METRICS, metrics(view="traces"), 400),
    ],
)
def test_an_answer_is_as_described(description, http, path, query, status):
    answer = http.get(path, params=query)
    assert answer.status_code == status
    description.validate_response(Asked("get", path, query), Answered(answer))


def test_without_the_keys_the_answer_is_as_described(description, http):
    http.auth = None
    answer = http.get(OBSERVATIONS)
    assert answer.status_code == 401
    description.validate_response(Asked("get", OBSERVATIONS, {}), Answered(answer))


def test_an_export_is_answered_as_described(description, http):
    answer = export(http, trace("work"), "application/json")
    description.validate_response(Asked("post", TRACES, {}), Answered(answer))


class Asked:
    """A request as openapi-core wants to see it."""

    def __init__(self, method, path, query):
        from openapi_core.datatypes import RequestParameters  # noqa: PLC0415
        from werkzeug.datastructures import ImmutableMultiDict  # noqa: PLC0415

        self.method, self.path, self.host_url = method, path, "http://localhost"
        self.parameters = RequestParameters(query=ImmutableMultiDict(query))
        self.body, self.content_type = None, "application/json"


class Answered:
    """A response as openapi-core wants to see it."""

    def __init__(self, answer):
        self.status_code, self.data = answer.status_code, answer.content
        self.content_type = urlsplit(answer.headers["content-type"]).path
        self.headers = dict(answer.headers)
