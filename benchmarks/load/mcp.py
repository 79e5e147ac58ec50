"""The MCP clients: one holds a session open, one asks without any. Both list the server's tools again and again.

Sources: the Model Context Protocol, revisions 2025-06-18 (a session; "when a client receives HTTP 404 in response to a
request containing an Mcp-Session-Id, it must start a new session") and 2026-07-28 (no session, all in each request).
"""

import json
from typing import Any

import httpx

from benchmarks.load.http_clients import connect, fault, json_of
from benchmarks.load.journal import Journal, answered
from benchmarks.load.request import Kind, Outcome

STATELESS = "2026-07-28"
SESSIONS = "2025-06-18"
_SESSION = "Mcp-Session-Id"
_META = "io.modelcontextprotocol"
_CLIENT = {"name": "slipway-load", "version": "1"}
_ACCEPT = {"Accept": "application/json, text/event-stream"}
_PATH = "/mcp"


async def stateless(journal: Journal) -> None:
    """`tools/list` of the newest protocol."""
    meta = {
        f"{_META}/protocolVersion": STATELESS,
        f"{_META}/clientInfo": _CLIENT,
        f"{_META}/clientCapabilities": {},
    }
    headers = {**_ACCEPT, "MCP-Protocol-Version": STATELESS, "Mcp-Method": "tools/list"}
    async with connect(journal.plan) as http:
        while journal.may():
            async with answered(journal, Kind.STATELESS, journal.plan.patience) as answer:
                response = await http.post(_PATH, json=_message("tools/list", {"_meta": meta}), headers=headers)
                answer.note(response, _fault(response, "tools"))
            await journal.pause(journal.plan.pace)


async def session(journal: Journal) -> None:
    """A session of the older protocol, opened anew only when the server has forgotten it, or opening it failed."""
    async with connect(journal.plan) as http:
        client = _Session(journal, http)
        while journal.may():
            await (client.list_tools() if client.is_open else client.open())
            if client.is_open:
                await journal.pause(journal.plan.pace)
        await client.close()


class _Session:
    """What the client knows of its session: the headers that belong to it; None when it has none."""

    def __init__(self, journal: Journal, http: httpx.AsyncClient) -> None:
        self.journal, self.http, self.headers = journal, http, dict[str, str]()

    @property
    def is_open(self) -> bool:
        return bool(self.headers)

    async def open(self) -> None:
        """initialize, then notifications/initialized."""
        params = {"protocolVersion": SESSIONS, "capabilities": {}, "clientInfo": _CLIENT}
        async with self._answered() as answer:
            response = await self._post(_message("initialize", params), {})
            answer.note(response, _fault(response, "protocolVersion"))
        if answer.request.outcome is not Outcome.WELL or not self.journal.may():
            await self.journal.pause(self.journal.plan.pace)
            return
        opened = {"MCP-Protocol-Version": str(_result(response)["protocolVersion"])}
        if _SESSION in response.headers:
            opened[_SESSION] = response.headers[_SESSION]
        async with self._answered() as answer:
            response = await self._post({"jsonrpc": "2.0", "method": "notifications/initialized"}, opened)
            answer.note(response, "" if response.is_success else fault(response, 202, True))
        self.headers = opened

    async def list_tools(self) -> None:
        """tools/list; a session that the server does not know any more is counted apart, and given up."""
        async with self._answered() as answer:
            response = await self._post(_message("tools/list", {}), self.headers)
            if response.status_code == httpx.codes.NOT_FOUND and _SESSION in self.headers:
                answer.note(response, "the session was forgotten", Outcome.FORGOTTEN)
                self.headers = {}
            else:
                answer.note(response, _fault(response, "tools"))

    async def close(self) -> None:
        """End the session on the server, if it gave one; out of politeness, so it is not counted."""
        if _SESSION in self.headers:
            try:
                await self.http.delete(_PATH, headers=self.headers, timeout=2)
            except httpx.HTTPError:
                return

    def _answered(self) -> Any:
        return answered(self.journal, Kind.SESSION, self.journal.plan.patience)

    async def _post(self, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
        return await self.http.post(_PATH, json=body, headers={**_ACCEPT, **headers})


def _message(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def _fault(response: httpx.Response, expected: str) -> str:
    return fault(response, 200, bool(_result(response).get(expected)))


def _result(response: httpx.Response) -> dict[str, Any]:
    """The result of an answer, whether plain JSON or the first message of an event stream; empty when it is none."""
    message = json_of(response)
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        data = [line.removeprefix("data:") for line in response.text.splitlines() if line.startswith("data:")]
        try:
            message = json.loads(next((text for text in data if text.strip()), "{}"))
        except ValueError:
            return {}
    result = message.get("result") if isinstance(message, dict) else None
    return result if isinstance(result, dict) else {}
