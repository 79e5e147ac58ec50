"""OTLP over HTTP, in JSON: what a trace is sent as. Source: https://opentelemetry.io/docs/specs/otlp/"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from blocks.errors import LoginRefused, ProviderFailed, Unreachable
from blocks.http.clear_text import refuse_clear_text
from blocks.http.excerpt import excerpt
from blocks.http.request import request_within

_INTERNAL, _ERROR = 1, 2


@dataclass(frozen=True)
class Span:
    """One span.

    Args:
        trace_id, span_id, parent_id: 32, 16 and 16 hex digits; a root has no parent.
        started, ended: seconds since the epoch.
        failed: what kind of error it ended in; '' for none.
    """

    name: str
    trace_id: str
    span_id: str
    started: float
    ended: float
    parent_id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    failed: str = ""


def traces_body(spans: Sequence[Span], resource: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The body of an export request.

    Args:
        resource: attributes of what sends it, beside its name.
    """
    about = {"service.name": "slipway", **(resource or {})}
    scopes = [{"scope": {"name": "slipway"}, "spans": [_span(span) for span in spans]}]
    return {"resourceSpans": [{"resource": {"attributes": _attributes(about)}, "scopeSpans": scopes}]}


def export_spans(url: str, body: Mapping[str, Any], headers: Mapping[str, str], within: float) -> None:
    """Send an export request to a collector.

    Args:
        headers: its login, if it asks for one.
        within: seconds for the whole answer.

    Raises:
        NotEncrypted, Unreachable, LoginRefused, ProviderFailed
    """
    where = f"{httpx.URL(url).scheme}://{httpx.URL(url).netloc.decode()}"
    if headers:
        refuse_clear_text(url, "what takes traces")
    try:
        answer = request_within("POST", url, within, json=body, headers=dict(headers))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unreachable(f"what takes traces at {where} cannot be reached: {error or type(error).__name__}") from None
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise LoginRefused(
            f"what takes traces at {where} refuses the headers of OTEL_EXPORTER_OTLP_HEADERS ({answer.status_code})"
        )
    if not answer.is_success:
        raise ProviderFailed(f"what takes traces at {where}: {answer.status_code} {excerpt(answer)}")


def _span(span: Span) -> dict[str, Any]:
    status = {"status": {"code": _ERROR, "message": span.failed}} if span.failed else {}
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        **({"parentSpanId": span.parent_id} if span.parent_id else {}),
        "name": span.name,
        "kind": _INTERNAL,
        "startTimeUnixNano": str(int(span.started * 1e9)),
        "endTimeUnixNano": str(int(span.ended * 1e9)),
        "attributes": _attributes(span.attributes),
        **status,
    }


def _attributes(known: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in known.items()]
