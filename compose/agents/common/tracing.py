"""Workflows as OpenTelemetry traces that carry the caller's trace id and go to Langfuse, when there is one.

Protocol: OTLP over HTTP, protobuf, at ``/api/public/otel/v1/traces`` with Basic authentication
(https://langfuse.com/integrations/native/opentelemetry). The ingestion version in the header makes a trace readable
at once instead of after minutes.
"""

import base64
import json
import os
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry.context import attach, detach
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

MAX_ATTRIBUTE = 4000
EXPORT_DELAY_MS = 200
EXPORT_TIMEOUT_S = 3
_w3c = TraceContextTextMapPropagator()


class LangfuseExporter(SpanExporter):
    """The official OTLP exporter, imported when first needed: its import costs more than a service's start."""

    def __init__(self, host: str, public_key: str, secret_key: str) -> None:
        self._endpoint = f"{host.rstrip('/')}/api/public/otel/v1/traces"
        token = base64.b64encode(f"{public_key}:{secret_key}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "x-langfuse-ingestion-version": "4"}
        self._exporter: SpanExporter | None = None

    def load(self) -> SpanExporter:
        """The exporter itself, made once."""
        if self._exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

            self._exporter = OTLPSpanExporter(endpoint=self._endpoint, headers=self._headers, timeout=EXPORT_TIMEOUT_S)
        return self._exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send ``spans``; called in the batch processor's own thread, never in a request."""
        return self.load().export(spans)

    def shutdown(self) -> None:
        """Close the connection, if one was ever opened."""
        if self._exporter is not None:
            self._exporter.shutdown()


class Tracing:
    """The traces of one service."""

    def __init__(self, service: str, release: str, env: Mapping[str, str] = os.environ) -> None:
        self.service, self.release = service, release
        self._environment = env.get("LANGFUSE_TRACING_ENVIRONMENT") or "default"
        self.provider = TracerProvider(
            resource=Resource({"service.name": service, "service.version": release}), shutdown_on_exit=False
        )
        self._tracer = self.provider.get_tracer("agents")
        self.exporter: LangfuseExporter | None = None
        if host := env.get("LANGFUSE_HOST"):
            self.exporter = LangfuseExporter(
                host, env.get("LANGFUSE_PUBLIC_KEY", ""), env.get("LANGFUSE_SECRET_KEY", "")
            )
            self.provider.add_span_processor(BatchSpanProcessor(self.exporter, schedule_delay_millis=EXPORT_DELAY_MS))

    @contextmanager
    def workflow(self, name: str, headers: Mapping[str, str]) -> Iterator[Span]:
        """A span for one workflow, child of the W3C ``traceparent`` in ``headers`` or of the span around it."""
        attributes = {
            "langfuse.trace.name": f"{self.service} {name}",
            "langfuse.environment": self._environment,
            "langfuse.release": self.release,
        }
        context = _w3c.extract(headers) if "traceparent" in headers else None
        with self._tracer.start_as_current_span(name, context, SpanKind.SERVER, attributes) as span:
            yield span

    @contextmanager
    def continued(self, headers: Mapping[str, str]) -> Iterator[None]:
        """What runs inside belongs to the trace of ``headers``, without a span of its own."""
        token = attach(_w3c.extract(headers)) if "traceparent" in headers else None
        try:
            yield
        finally:
            if token is not None:
                detach(token)

    def load(self) -> None:
        """Import what the first export needs, so that the first trace does not wait for it."""
        if self.exporter:
            self.exporter.load()

    def flush(self) -> None:
        """Send what is left, for at most a few seconds."""
        self.provider.force_flush(EXPORT_TIMEOUT_S * 1000)


def record(span: Span, kind: str, value: Any) -> None:
    """Note the workflow's ``input`` or ``output`` where Langfuse looks for it, cut to a sendable length."""
    if span.is_recording():
        text = json.dumps(value, ensure_ascii=False, default=str)
        span.set_attribute(f"langfuse.observation.{kind}", text[:MAX_ATTRIBUTE])


def record_status(span: Span, status: int) -> None:
    """Note the HTTP status; only an answer of 500 and above is the service's own error."""
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))


def pass_on(headers: MutableMapping[str, str]) -> None:
    """Write the current span's ``traceparent`` into ``headers`` of an outgoing call."""
    _w3c.inject(headers)
