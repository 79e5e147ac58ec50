"""The frame of a service: health, metrics, and workflows that are JSON in, JSON out, and a trace::

agent = Agent("code-review")

@agent.workflow("POST", "/review")
def review(fields: Fields) -> dict[str, Any]:
    return {"issues": find(fields.text("code"))}

app = agent.app()
"""

import asyncio
import inspect
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from opentelemetry.trace import INVALID_SPAN
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from agents.common.ending import told_by_signals
from agents.common.fields import Fields, Refused, read
from agents.common.metrics import Metrics, MetricsMiddleware
from agents.common.tracing import Tracing, record, record_status

Answer = dict[str, Any] | tuple[int, dict[str, Any]]
Handler = Callable[[Fields], Answer | Awaitable[Answer]]

log = logging.getLogger("uvicorn.error")


def release() -> str:
    """The content hash that the image's build wrote beside the source; ``dev`` outside an image."""
    try:
        return Path(os.environ.get("RELEASE_FILE", "/app/RELEASE")).read_text().strip()
    except OSError:
        return "dev"


class Agent:
    """One service: its name, its routes, what it does beside answering."""

    def __init__(self, name: str) -> None:
        self.name, self.release = name, release()
        self.tracing = Tracing(name, self.release)
        self.metrics = Metrics()
        self.routes: list[BaseRoute] = [
            Route("/health", self.health),
            Route("/metrics", self.metrics.show),
        ]
        self.checks: list[Callable[[], object]] = []
        """Called by every health request; one that raises makes the service unhealthy."""
        self.loads: list[Callable[[], object]] = [self.tracing.load]
        """Run in a thread once the service listens: imports that would only hold its start up."""
        self.background: list[Callable[[], Awaitable[None]]] = []
        """Run beside the requests and cancelled at the end."""
        self.ending = asyncio.Event()
        """Set when the service is told to end: an answer without an end of its own ends then."""

    def workflow(self, method: str, path: str, *, traced: bool = True) -> Callable[[Handler], Handler]:
        """Serve ``method path`` by the decorated function, inside a trace if it is work worth one.

        The function gets the request's fields and gives the JSON object to answer, or a status and that; it raises
        :class:`Refused` for what it will not do. A plain function runs in a thread, so it may work or wait.
        """

        def serve(handler: Handler) -> Handler:
            async def endpoint(request: Request) -> Response:
                trace = self.tracing.workflow(f"{method} {path}", request.headers)
                with trace if traced else nullcontext(INVALID_SPAN) as span:
                    status, answer = await _answer(handler, request, lambda given: record(span, "input", given))
                    record(span, "output", answer)
                    record_status(span, status)
                return JSONResponse(answer, status)

            self.routes.append(Route(path, endpoint, methods=[method]))
            return handler

        return serve

    async def health(self, _request: Request) -> Response:
        """``{"status": "ok", …}`` with 200, or 503 and the reason."""
        told = {"service": self.name, "release": self.release}
        try:
            for check in self.checks:
                await run_in_threadpool(check)
        except Exception as problem:  # whatever a check raises is the answer
            log.warning("Unhealthy: %s", problem)
            return JSONResponse({"status": "failed", **told, "reason": str(problem)}, 503)
        return JSONResponse({"status": "ok", **told})

    def app(self) -> Starlette:
        """The ASGI application."""
        app = Starlette(
            routes=self.routes,
            middleware=[Middleware(MetricsMiddleware, metrics=self.metrics)],
            exception_handlers={HTTPException: _http_error, Exception: _unexpected},
            lifespan=self._lifespan,
        )
        app.state.agent = self
        return app

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self.ending = asyncio.Event()
        jobs = [asyncio.ensure_future(job()) for job in (self._load, *self.background)]
        try:
            with told_by_signals(self.ending):
                yield
        finally:
            for job in jobs:
                job.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await job
            await run_in_threadpool(self.tracing.flush)

    async def _load(self) -> None:
        for load in self.loads:
            await run_in_threadpool(load)


async def _answer(
    handler: Handler, request: Request, note: Callable[[dict[str, Any]], None]
) -> tuple[int, dict[str, Any]]:
    try:
        fields = await read(request)
        note(dict(fields))
        result = await run_in_threadpool(handler, fields)
        answer = await result if inspect.isawaitable(result) else result
    except Refused as refused:
        return refused.status, {"error": refused.message}
    return answer if isinstance(answer, tuple) else (200, answer)


async def _http_error(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return JSONResponse({"error": problem.detail}, problem.status_code, headers=problem.headers)


async def _unexpected(_request: Request, _problem: Exception) -> Response:
    return JSONResponse({"error": "internal error"}, 500)
