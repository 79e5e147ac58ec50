"""Calls from one service to another, with the trace passed on."""

import asyncio
import os
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
TIMEOUT_S = 10


class Peers:
    """The other services, by name. ``transport`` is httpx2's seam: a test answers there without a network."""

    def __init__(self, transport: Any = None) -> None:
        self.transport = transport

    def load(self) -> None:
        """Import the HTTP client, so that the first call does not wait for it."""
        import httpx2  # noqa: F401, PLC0415

    async def call(self, service: str, path: str, body: dict[str, Any], tries: int = 1) -> dict[str, Any]:
        """POST ``body`` to ``service`` and give its JSON object back.

        A call that may be repeated safely says so with ``tries``. Raises :class:`Refused` with the peer's own words
        when it refused (4xx), and with 502 when it could not be reached or failed.
        """
        import httpx2  # noqa: PLC0415

        headers: dict[str, str] = {}
        pass_on(headers)
        # One client a call: it shares no connection, so a peer that was restarted in between costs no failed request.
        async with httpx2.AsyncClient(transport=self.transport, timeout=TIMEOUT_S, trust_env=False) as client:
            for left in reversed(range(tries)):
                try:
                    response = await client.post(address(service) + path, json=body, headers=headers)
                    answer = response.json()
                except (httpx2.TransportError, ValueError) as problem:
                    if left:
                        await asyncio.sleep(0.2)
                        continue
                    raise Refused(f"{service} gave no answer: {type(problem).__name__}", 502) from None
                if response.status_code < 500 or not left:
                    break
        if response.is_success and isinstance(answer, dict):
            return answer
        words = answer.get("error") if isinstance(answer, dict) else None
        raise Refused(
            f"{service}: {words or response.status_code}", response.status_code if response.is_client_error else 502
        )


def address(service: str) -> str:
    """Where ``service`` listens: its Compose name, or what ``RAG_CONTEXT_URL`` and the like say instead."""
    other = os.environ.get(f"{service.replace('-', '_').upper()}_URL")
    return (other or f"http://{service}:{PORTS[service]}").rstrip("/")
