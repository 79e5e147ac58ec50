"""MCP tool discovery, against servers of both eras."""

import json

import httpx
import pytest

from flows.tasks.gates.mcp import SESSIONS, STATELESS, McpFailed, list_tools
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit

PAGES = {None: (["a", "b"], "2"), "2": (["c"], "3"), "3": ([], None)}


def result(asked, **content) -> dict:
    return {"jsonrpc": "2.0", "id": asked.json().get("id"), "result": content}


def error(asked, words: str) -> dict:
    return {"jsonrpc": "2.0", "id": asked.json().get("id"), "error": {"code": -32600, "message": words}}


def page(asked) -> dict:
    names, cursor = PAGES[asked.json()["params"].get("cursor")]
    more = {"nextCursor": cursor} if cursor else {}
    return result(asked, tools=[{"name": name, "inputSchema": {}} for name in names], **more)


def stateless(asked) -> Says:
    """2026-07-28: each request carries all there is to know, in `_meta` and headers; answers are plain JSON."""
    meta = asked.json()["params"].get("_meta", {})
    named = meta.get("io.modelcontextprotocol/protocolVersion")
    if (asked.headers.get("mcp-protocol-version"), named) != (STATELESS, STATELESS):
        return Says(400, error(asked, "unsupported protocol version"))
    assert asked.headers["mcp-method"] == asked.json()["method"] == "tools/list"
    assert meta["io.modelcontextprotocol/clientInfo"]["name"] == "slipway"
    return Says(200, page(asked))


class Sessions:
    """2025-06-18: initialize, initialized, then requests in the session; answers as events when `sse`."""

    def __init__(self, sse: bool, stateful: bool = True) -> None:
        self.sse, self.open, self.ready = sse, set(), set()
        self.given = {"Mcp-Session-Id": "s1"} if stateful else {}

    def __call__(self, asked) -> Says:
        session = asked.headers.get("mcp-session-id", "" if not self.given else None)
        if asked.method == "DELETE":
            self.open.discard(session)
            return Says(204)
        assert {"application/json", "text/event-stream"} <= set(asked.headers["accept"].split(", "))
        method = asked.json()["method"]
        if method == "initialize":
            self.open.add(self.given.get("Mcp-Session-Id", ""))
            assert asked.json()["params"]["protocolVersion"] == SESSIONS
            return self.say(result(asked, protocolVersion="2025-03-26", capabilities={}), self.given)
        if session not in self.open or asked.headers["mcp-protocol-version"] != "2025-03-26":
            return Says(400, error(asked, "no session"))
        if method == "notifications/initialized":
            self.ready.add(session)
            return Says(202)
        assert session in self.ready
        return self.say(page(asked), {})

    def say(self, message: dict, headers: dict) -> Says:
        if not self.sse:
            return Says(200, message, {"Content-Type": "application/json", **headers})
        lines = f": hello\nevent: message\nid: 1\ndata:\n\nevent: message\ndata: {json.dumps(message)}\n\n"
        return Says(200, lines.encode(), {"Content-Type": "text/event-stream; charset=utf-8", **headers})


ERAS = {
    "stateless": (lambda: stateless, STATELESS),
    "sessions, JSON": (lambda: Sessions(sse=False), SESSIONS),
    "sessions, events": (lambda: Sessions(sse=True), SESSIONS),
    "the older protocol without a session": (lambda: Sessions(sse=True, stateful=False), SESSIONS),
}


@pytest.mark.parametrize(("server", "revision"), ERAS.values(), ids=ERAS)
def test_tools_of_all_pages_are_listed_by_the_newest_protocol_the_server_speaks(server, revision):
    with serving(server()) as http, httpx.Client(verify=False) as client:
        assert list_tools(client, f"{http.url}/mcp", {"x-key": "k"}) == (["a", "b", "c"], revision)
    assert all(asked.headers["x-key"] == "k" for asked in http.asked)


@pytest.mark.parametrize("sse", [True, False])
def test_a_session_is_closed_again(sse):
    server = Sessions(sse)
    with serving(server) as http, httpx.Client(verify=False) as client:
        list_tools(client, http.url, {})
    assert server.open == set()
    assert http.asked[-1].method == "DELETE"


def test_a_session_is_closed_also_when_the_list_fails():
    server = Sessions(sse=False)

    def broken(asked) -> Says:
        listing = asked.method == "POST" and asked.json()["method"] == "tools/list"
        return Says(500, b"<html>no") if listing else server(asked)

    with (
        serving(broken) as http,
        httpx.Client(verify=False) as client,
        pytest.raises(McpFailed, match="tools/list: 500 <html>no"),
    ):
        list_tools(client, http.url, {})
    assert server.open == set()


FAILURES = {
    "no MCP": (Says(404, b"not here"), "initialize: 404 not here"),
    "another protocol": (Says(200, b"<html>"), "initialize: 200 <html>"),
    "an error": (Says(200, {"jsonrpc": "2.0", "id": 1, "error": {"message": "go away"}}), "initialize: 200 go away"),
    "a list": (Says(200, []), "initialize: 200"),
    "events without data": (Says(200, b"event: ping\n\n", {"Content-Type": "text/event-stream"}), "initialize: 200"),
}


@pytest.mark.parametrize(("says", "words"), FAILURES.values(), ids=FAILURES)
def test_what_is_no_mcp_server_is_told_apart(says, words):
    with (
        serving(lambda _asked: says) as http,
        httpx.Client(verify=False) as client,
        pytest.raises(McpFailed, match=words),
    ):
        list_tools(client, http.url, {})


ODD = {
    "an error without a form": (Says(400, {"error": "go away"}), "initialize: 400"),
    "no tools": (Says(200, {"result": []}), "initialize: 200"),
    "tools without names": (Says(200, {"result": {"tools": [{}]}}), "tools/list: "),
}


@pytest.mark.parametrize(("says", "words"), ODD.values(), ids=ODD)
def test_an_answer_of_another_form_is_no_mcp_server(says, words):
    with (
        serving(lambda _asked: says) as http,
        httpx.Client(verify=False) as client,
        pytest.raises(McpFailed, match=words),
    ):
        list_tools(client, http.url, {})


def test_pages_without_end_have_an_end():
    def endless(asked) -> Says:
        if asked.method == "DELETE":
            return Says(204)
        return Says(200, result(asked, tools=[], nextCursor="again"))

    with (
        serving(endless) as http,
        httpx.Client(verify=False) as client,
        pytest.raises(McpFailed, match="more than 50 pages"),
    ):
        list_tools(client, http.url, {})
    assert len(http.asked) < 120


def test_a_server_that_is_not_there_is_said_by_the_client_itself():
    with httpx.Client(verify=False) as client, pytest.raises(httpx.ConnectError):
        list_tools(client, "http://127.0.0.1:1/mcp", {})
