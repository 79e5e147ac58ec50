"""The lab's Langfuse stand-in inside the test's own process, and spans to send to it."""

import base64
import gzip
import json
import sys
from contextlib import contextmanager

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from starlette.testclient import TestClient

from tests import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "compose" / "lab" / "langfuse"))  # part of an image, not installed

from standin.app import create_app
from standin.store import Store

AUTH = ("pk-lf-test", "sk-lf-test")
TRACE_ID = bytes.fromhex("4bf92f3577b34da6a3ce929d0e0e4736")
SPAN_ID = 0x00F067AA0BA902B7
NEW_YEAR = 1_767_225_600  # 2026-01-01T00:00:00Z


@contextmanager
def standin(limit=100, delay=0.0):
    """A client of a stand-in that has nothing stored yet."""
    with TestClient(create_app(*AUTH, Store(limit, delay))) as client:
        client.auth = AUTH
        yield client


def at(seconds: float) -> int:
    """Nanoseconds of a moment this long after the new year of 2026."""
    return int((NEW_YEAR + seconds) * 1e9)


def trace(
    name, attributes=None, *, span=SPAN_ID, parent=None, start=NEW_YEAR * 10**9, seconds=0.5, failed=False, service="x"
):
    """An export request with one span."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.append(_attribute("service.name", service))
    one = group.scope_spans.add().spans.add(
        name=name,
        trace_id=TRACE_ID,
        span_id=span.to_bytes(8, "big"),
        parent_span_id=b"" if parent is None else parent.to_bytes(8, "big"),
        start_time_unix_nano=start,
        end_time_unix_nano=start + int(seconds * 1e9),
        attributes=[_attribute(*pair) for pair in (attributes or {}).items()],
    )
    one.status.code = 2 if failed else 0
    return request


def export(client, request, content_type="application/x-protobuf", encoding=""):
    """Send `request` as an OTLP exporter does."""
    body = _json(request) if content_type == "application/json" else request.SerializeToString()
    if encoding == "gzip":
        body = gzip.compress(body)
    headers = {"content-type": content_type} | ({"content-encoding": encoding} if encoding else {})
    return client.post("/api/public/otel/v1/traces", content=body, headers=headers)


def _attribute(key, value):
    if isinstance(value, list):
        items = [AnyValue(string_value=item) for item in value]
        return KeyValue(key=key, value=AnyValue(array_value=ArrayValue(values=items)))
    return KeyValue(key=key, value=AnyValue(string_value=value))


def _json(request) -> bytes:
    """OTLP's own JSON: as protobuf's, but identifiers are hexadecimal and enums are numbers."""
    plain = MessageToDict(request, use_integers_for_enums=True)
    for span in (s for g in plain["resourceSpans"] for p in g["scopeSpans"] for s in p["spans"]):
        for key in ("traceId", "spanId", "parentSpanId"):
            if key in span:
                span[key] = base64.b64decode(span[key]).hex()
    return json.dumps(plain).encode()
