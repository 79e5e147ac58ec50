"""The sample stack inside the test's own process: its services by name, and a network from one to another."""

import asyncio
import sys
from contextlib import contextmanager
from contextvars import Context
from importlib import import_module
from types import ModuleType

import httpx2
import yaml
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from tests import CHECKOUT

COMPOSE_DIR = CHECKOUT / "compose"
sys.path.insert(0, str(COMPOSE_DIR))  # the agents are a part of the image, not an installed package

COMPOSE = yaml.safe_load((COMPOSE_DIR / "docker-compose.yml").read_text())
SERVICES = sorted(COMPOSE["services"])
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


def module(service: str) -> ModuleType:
    """The module that serves ``service``."""
    return import_module(f"agents.services.{service.replace('-', '_')}")


@contextmanager
def client(service: str):
    """An HTTP client of ``service``, started and stopped around it; its peers are the real ones, in this process."""
    served = module(service)
    if hasattr(served, "peers"):
        served.peers.transport = Stack()
    with TestClient(served.app, raise_server_exceptions=False) as http:
        yield http


class Stack(httpx2.AsyncBaseTransport):
    """Leads each request to the service of that host name; hosts in ``down`` cannot be reached."""

    def __init__(self, down: tuple[str, ...] = ()) -> None:
        self.down, self.asked = down, []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        self.asked.append(host)
        if host in self.down:
            raise httpx2.ConnectError(f"{host} is down")
        call = httpx2.ASGITransport(module(host).app).handle_async_request(request)
        # A context of its own, as in another process: only what the headers carry arrives.
        response = await asyncio.get_running_loop().create_task(call, context=Context())
        return httpx2.Response(response.status_code, headers=response.headers, content=await response.aread())


@contextmanager
def spans_of(*services: str):
    """The finished spans of ``services``, as they end."""
    exporter = InMemorySpanExporter()
    processor = SimpleSpanProcessor(exporter)
    for service in services:
        module(service).agent.tracing.provider.add_span_processor(processor)
    try:
        yield exporter
    finally:
        processor.shutdown()
