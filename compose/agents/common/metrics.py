"""Requests counted and timed for Prometheus, by route and not by raw path: a path is the caller's to invent."""

import time

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

disable_created_metrics()  # two series more for every one, and no query of ours reads them
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """One service's registry, and the route that shows it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "http_requests_total", "HTTP requests answered.", ["method", "path", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "http_request_duration_seconds", "Time to answer.", ["method", "path"], registry=self.registry
        )

    async def show(self, _request: Request) -> Response:
        """Answer in Prometheus' text format."""
        return Response(generate_latest(self.registry), headers={"content-type": CONTENT_TYPE})


class MetricsMiddleware:
    """Times each HTTP request around the whole application."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        status, started, answered = 500, time.perf_counter(), 0.0

        async def note_start(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], time.perf_counter()
            await send(message)

        try:
            return await self.app(scope, receive, note_start)
        finally:
            path = getattr(scope.get("route"), "path", "other")
            self.metrics.requests.labels(scope["method"], path, str(status)).inc()
            # Until the answer begins: a stream that is read for an hour is not slow.
            self.metrics.seconds.labels(scope["method"], path).observe((answered or time.perf_counter()) - started)
