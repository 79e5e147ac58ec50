"""From OTLP to observations: an ExportTraceServiceRequest, protobuf or JSON, as a list of plain dicts.

Protocol: https://opentelemetry.io/docs/specs/otlp/#otlphttp. Attributes:
https://langfuse.com/integrations/native/opentelemetry#property-mapping
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Json = dict[str, Any]
MAX_BODY = 20 * 1024 * 1024
STATUS_ERROR = 2
PROJECT = "slipway-lab"


class BadRequestError(ValueError):
    """What was sent is not what it says it is."""


def decode(body: bytes, content_type: str, encoding: str) -> list[Json]:
    """The observations in an export request's `body`.

    Raises:
        BadRequestError: if the body cannot be unpacked or read as its content type says.
    """
    try:
        if encoding == "gzip":
            body = _unpack(body)
        if content_type.startswith("application/json"):
            request, read_id = json.loads(body), str.lower
        elif content_type.startswith("application/x-protobuf"):
            message = ExportTraceServiceRequest.FromString(body)
            request, read_id = MessageToDict(message, use_integers_for_enums=True), _hex
        else:
            raise BadRequestError(f"content type {content_type!r} is neither protobuf nor JSON")
        return [_observation(span, scope, resource, read_id) for span, scope, resource in _spans(request)]
    except (zlib.error, DecodeError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise BadRequestError(f"this is no OTLP trace export: {type(error).__name__}") from error
    except json.JSONDecodeError as error:
        raise BadRequestError(f"this is no JSON: {error}") from error


def _unpack(body: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    unpacked = stream.decompress(body, MAX_BODY + 1)
    if len(unpacked) > MAX_BODY:
        raise BadRequestError("the body is larger than 20 MB once unpacked")
    if not stream.eof:
        raise BadRequestError("the gzip stream is cut short")
    return unpacked


def _hex(value: str) -> str:
    return base64.b64decode(value).hex()


def _spans(request: Json) -> Iterator[tuple[Json, Json, Json]]:
    for group in request["resourceSpans"] if request else ():
        resource = _attributes(group.get("resource", {}))
        for part in group.get("scopeSpans", ()):
            for span in part.get("spans", ()):
                yield span, part.get("scope", {}), resource


def _attributes(holder: Json) -> Json:
    return {pair["key"]: _value(pair.get("value") or {}) for pair in holder.get("attributes", ())}


def _value(value: Json) -> Any:
    """An OTLP AnyValue as the Python value it stands for."""
    for kind, content in value.items():
        match kind:
            case "intValue":
                return int(content)
            case "arrayValue":
                return [_value(item) for item in content.get("values", ())]
            case "kvlistValue":
                return {item["key"]: _value(item.get("value") or {}) for item in content.get("values", ())}
            case _:
                return content
    return None


def _time(nanoseconds: str | int) -> str:
    return iso(datetime.fromtimestamp(int(nanoseconds) / 1e9, UTC))


def iso(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as Langfuse writes times."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _observation(span: Json, scope: Json, resource: Json, read_id: Any) -> Json:
    attributes = _attributes(span)
    own = {key: attributes[key] for key in attributes if not key.startswith("langfuse.")}
    parent = read_id(span["parentSpanId"]) if span.get("parentSpanId") else None
    status = span.get("status") or {}
    seconds = (int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])) / 1e9
    name = span.get("name", "")

    def first(*keys: str, default: Any = None) -> Any:
        places = (attributes, resource)
        return next((place[key] for key in keys for place in places if place.get(key) is not None), default)

    level = str(first("langfuse.observation.level") or ("ERROR" if status.get("code") == STATUS_ERROR else "DEFAULT"))
    now = iso(datetime.now(UTC))
    return {
        "id": read_id(span["spanId"]),
        "traceId": read_id(span["traceId"]),
        "startTime": _time(span["startTimeUnixNano"]),
        "endTime": _time(span["endTimeUnixNano"]),
        "projectId": PROJECT,
        "parentObservationId": parent,
        "type": str(first("langfuse.observation.type", default="span")).upper(),
        "isRootObservation": parent is None or attributes.get("langfuse.internal.is_app_root") is True,
        "name": name,
        "level": level.upper(),
        "statusMessage": first("langfuse.observation.status_message", default=status.get("message")),
        "version": first("langfuse.version", "service.version"),
        "environment": first(
            "langfuse.environment", "deployment.environment.name", "deployment.environment", default="default"
        ),
        "bookmarked": False,
        "public": str(first("langfuse.trace.public", default="")).lower() == "true",
        "userId": first("user.id", "langfuse.user.id"),
        "sessionId": first("session.id", "langfuse.session.id"),
        "completionStartTime": first("langfuse.observation.completion_start_time"),
        "createdAt": now,
        "updatedAt": now,
        "input": _text(first("langfuse.observation.input", "langfuse.trace.input")),
        "output": _text(first("langfuse.observation.output", "langfuse.trace.output")),
        "metadata": {
            **_metadata(attributes),
            "attributes": own,
            "resourceAttributes": resource,
            "scope": {"name": scope.get("name"), "version": scope.get("version")},
        },
        "providedModelName": first("langfuse.observation.model.name", "gen_ai.request.model"),
        "internalModelId": None,
        "modelParameters": {},
        "usageDetails": {},
        "costDetails": {},
        "totalCost": None,
        "usagePricingTierName": None,
        "promptId": None,
        "promptName": first("langfuse.observation.prompt.name"),
        "promptVersion": first("langfuse.observation.prompt.version"),
        "latency": round(seconds, 6),
        "timeToFirstToken": None,
        "tags": _tags(first("langfuse.trace.tags", "langfuse.tags", default=[])),
        "release": first("langfuse.release"),
        "traceName": first("langfuse.trace.name", default=name if parent is None else None),
    }


def _metadata(attributes: Json) -> Json:
    prefixes = ("langfuse.observation.metadata.", "langfuse.trace.metadata.")
    return {key.removeprefix(p): value for key, value in attributes.items() for p in prefixes if key.startswith(p)}


def _tags(value: Any) -> list[str]:
    return [str(tag) for tag in value] if isinstance(value, list) else [str(value)]


def _text(value: Any) -> str | None:
    """Input and output are always given back as raw strings."""
    return value if value is None or isinstance(value, str) else json.dumps(value)
