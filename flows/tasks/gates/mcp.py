"""MCP tool discovery over HTTP, in the stateless protocol and in the one with sessions before it.

Sources: the Model Context Protocol, revisions 2026-07-28 (stateless: `tools/list` with `_meta`) and 2025-06-18
(streamable HTTP: initialize, initialized, tools/list, session header, answers as JSON or as SSE).
"""

import json
import time
from typing import Any

import httpx

from flows.tasks.runs.log_masking import masked_line

STATELESS = "2026-07-28"
SESSIONS = "2025-06-18"
_META = "io.modelcontextprotocol"
_CLIENT = {"name": "slipway", "version": "1"}
_ACCEPT = {"Accept": "application/json, text/event-stream"}
_PAGES = 50
_LONGEST = 30.0


class McpFailed(Exception):
    """An endpoint is no MCP server, or answered with an error."""


def list_tools(client: httpx.Client, url: str, headers: dict[str, str]) -> tuple[list[str], str]:
    """The names of all tools of a server, and the protocol revision they were listed by.

    Raises:
        McpFailed, httpx.HTTPError
    """
    try:
        return _all_pages(client, url, headers, _stateless), STATELESS
    except McpFailed:
        session = _open_session(client, url, headers)
        try:
            return _all_pages(client, url, {**headers, **session}, _plain), SESSIONS
        finally:
            if "Mcp-Session-Id" in session:
                client.delete(url, headers={**headers, **session})


def _all_pages(client: httpx.Client, url: str, headers: dict[str, str], ask: Any) -> list[str]:
    names: list[str] = []
    cursor: str | None = None
    deadline = time.monotonic() + _LONGEST
    for _ in range(_PAGES):
        if time.monotonic() > deadline:
            raise McpFailed(f"tools/list did not end within {_LONGEST:g} s")
        result = ask(client, url, headers, {"cursor": cursor} if cursor else {})
        try:
            names += [str(tool["name"]) for tool in result.get("tools") or ()]
        except (KeyError, TypeError):
            raise McpFailed(f"tools/list: a tool without a name: {masked_line(str(result), 160)}") from None
        cursor = result.get("nextCursor")
        if not cursor:
            return names
    raise McpFailed(f"tools/list has more than {_PAGES} pages")


def _stateless(client: httpx.Client, url: str, headers: dict[str, str], params: dict[str, Any]) -> dict[str, Any]:
    meta = {
        f"{_META}/protocolVersion": STATELESS,
        f"{_META}/clientInfo": _CLIENT,
        f"{_META}/clientCapabilities": {},
    }
    extra = {"MCP-Protocol-Version": STATELESS, "Mcp-Method": "tools/list"}
    return _call(client, url, {**headers, **extra}, "tools/list", {**params, "_meta": meta})[0]


def _plain(client: httpx.Client, url: str, headers: dict[str, str], params: dict[str, Any]) -> dict[str, Any]:
    return _call(client, url, headers, "tools/list", params)[0]


def _open_session(client: httpx.Client, url: str, headers: dict[str, str]) -> dict[str, str]:
    params = {"protocolVersion": SESSIONS, "capabilities": {}, "clientInfo": _CLIENT}
    result, answer = _call(client, url, headers, "initialize", params)
    session = {"MCP-Protocol-Version": str(result.get("protocolVersion", SESSIONS))}
    if "mcp-session-id" in answer.headers:
        session["Mcp-Session-Id"] = answer.headers["mcp-session-id"]
    if not all(value.isascii() and value.isprintable() for value in session.values()):
        raise McpFailed("initialize: its session or protocol version has characters that no header can have")
    body = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    client.post(url, json=body, headers={**_ACCEPT, **headers, **session})
    return session


def _call(
    client: httpx.Client, url: str, headers: dict[str, str], method: str, params: dict[str, Any]
) -> tuple[dict[str, Any], httpx.Response]:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = client.post(url, json=body, headers={**_ACCEPT, **headers})
    message = _message(answer)
    result = message.get("result")
    if not answer.is_success or not isinstance(result, dict):
        error = message.get("error")
        words = error.get("message") if isinstance(error, dict) else error
        raise McpFailed(f"{method}: {answer.status_code} {masked_line(str(words or answer.text), 160)}")
    return result, answer


def _message(answer: httpx.Response) -> dict[str, Any]:
    """The JSON-RPC message of an answer, whether plain JSON or the first `data:` of an event stream."""
    text = answer.text
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        text = next((line[5:] for line in text.splitlines() if line.startswith("data:") and line[5:].strip()), "")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
