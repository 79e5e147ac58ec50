"""Sends the trace of a run to where the user's traces go: the project of the Langfuse block, or a collector."""

import json
import os
from collections.abc import Mapping
from importlib import metadata
from urllib.parse import unquote

import httpx

from blocks.http.otlp import Span, export_spans, traces_body
from flows.core.errors import BlockMissing
from flows.settings import Settings
from flows.settings.fields import TRACES_TO_LANGFUSE
from flows.tasks.runs.blocks import load_langfuse
from flows.tasks.runs.log_masking import register_secrets
from flows.tasks.runs.tracing.recording import RecordedSpan, RunTrace

# The environment variables of every exporter; the first one that is set counts.
_HEADERS = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
_PATH = "/v1/traces"


def send_trace(trace: RunTrace, settings: Settings) -> None:
    """Send a trace.

    Raises:
        BlockMissing: it goes to Langfuse, and no such block was saved.
        OutsideError: nobody takes it.
    """
    spans = [_span(span, trace) for span in trace.spans]
    body = traces_body(spans, {"service.version": metadata.version("slipway")})
    if settings.traces_to != TRACES_TO_LANGFUSE:
        export_spans(traces_url(settings.traces_to), body, otlp_headers(), settings.provider_timeout)
    elif langfuse := load_langfuse(settings):
        langfuse.send_spans(body, settings.provider_timeout)
    else:
        raise BlockMissing(
            f"traces go to Langfuse, and there is no slipway-langfuse block named '{settings.langfuse}'. "
            "Save it: slipway langfuse set --url URL --public-key KEY"
        )


def traces_url(endpoint: str) -> str:
    """The address that traces are posted to: an endpoint without a path has the usual one."""
    url = httpx.URL(endpoint)
    return str(url) if url.path.strip("/") else str(url.copy_with(path=_PATH))


def otlp_headers() -> dict[str, str]:
    """The headers of the environment: `name=value,name=value`, percent-encoded. Their values are secrets."""
    said = next((value for name in _HEADERS if (value := os.environ.get(name))), "")
    pairs = (pair.partition("=") for pair in said.split(",") if "=" in pair)
    found = {name.strip(): unquote(value.strip()) for name, _, value in pairs}
    register_secrets(found.values())
    return found


def _span(span: RecordedSpan, trace: RunTrace) -> Span:
    attributes: Mapping[str, str] = {"slipway.kind": span.kind}
    if not span.parent:
        dropped = {"slipway.spans_dropped": str(trace.dropped)} if trace.dropped else {}
        attributes = {
            **attributes, **dropped, "langfuse.trace.name": trace.name, "langfuse.trace.tags": json.dumps(["slipway"]),
        }  # fmt: skip
    return Span(span.name, trace.id, span.id, span.started, span.ended, span.parent, attributes, span.failed)
