"""Calls from one service to another, with the trace passed on."""

import asyncio
import os
import ssl
from functools import cached_property
from typing import Any

from agents.common.fields import Refused
from agents.common.tracing import pass_on

PORTS = {
    "orchestrator": 8001,
    "feature-dev": 8002,
    "code-review": 8003,
    "infrastructure": 8004,
    "cicd": 8005,
    "documentation": 8006,
    "rag-context": 8007,
    "state-persistence": 8008,
}
TIMEOUT_S = 5
PAUSE_S = 0.2


class Peers:
    """The other services, by name. ``transport`` is httpx2's seam: a test answers there without a network."""

    def __init__(self, transport: Any = None) -> None:
        self.transport = transport

    def load(self) -> None:
        """Import the HTTP client and read the certificates, so that the first call does not wait for it."""
        import httpx2  # noqa: F401, PLC0415

        _ = self._tls

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    async def call(self, service: str, path: str, body: dict[str, Any], tries: int = 1) -> dict[str, Any]:
        """POST ``body`` to ``service`` and give its JSON object back.

        A call that may be repeated safely says so with ``tries``. Raises :class:`Refused` with the peer's own words
        and status when it refused (4xx), with 504 when it took longer than five seconds, and otherwise with 502.
        """
        return await self._repeated(tries, "POST", address(service) + path, service, json=body)

    async def get(self, service: str, path: str, query: dict[str, Any] | None = None, tries: int = 3) -> dict[str, Any]:
        """GET the JSON object at ``path`` of ``service``. Raises what :meth:`call` raises."""
        return await self._repeated(tries, "GET", address(service) + path, service, params=query)

    async def _repeated(self, tries: int, method: str, url: str, service: str, **sent: Any) -> dict[str, Any]:
        for left in reversed(range(tries)):
            try:
                return await self._send(method, url, service, **sent)
            except Refused as refused:
                if refused.status != 502 or not left:
                    raise
            await asyncio.sleep(PAUSE_S)
        raise ValueError("tries must be at least 1")

    async def _send(self, method: str, url: str, service: str, **sent: Any) -> dict[str, Any]:
        import httpx2  # noqa: PLC0415

        headers: dict[str, str] = {}
        pass_on(headers)
        try:
            # A client of its own: no kept connection that fails because its peer was restarted in between.
            async with httpx2.AsyncClient(
                transport=self.transport, verify=self._tls, timeout=TIMEOUT_S, trust_env=False
            ) as client:
                response = await client.request(method, url, headers=headers, **sent)
                answer = response.json()
        except httpx2.TimeoutException:
            raise Refused(f"{service} took longer than {TIMEOUT_S} s", 504) from None
        except (httpx2.TransportError, ValueError) as problem:
            raise Refused(f"{service} gave no answer: {type(problem).__name__}", 502) from None
        if response.is_success and isinstance(answer, dict):
            return answer
        words = answer.get("error") if isinstance(answer, dict) else None
        status = response.status_code if response.is_client_error else 502
        raise Refused(f"{service}: {words or response.status_code}", status)


def address(service: str) -> str:
    """Where ``service`` listens: its Compose name, or what ``RAG_CONTEXT_URL`` and the like say instead."""
    other = os.environ.get(f"{service.replace('-', '_').upper()}_URL")
    return (other or f"http://{service}:{PORTS[service]}").rstrip("/")
