"""The gateway speaks MCP in both of its eras, and its tools call the agents."""

import json

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.support.sample_in_process import TRACE, TRACEPARENT, Stack, client, module, spans_of

pytestmark = pytest.mark.unit

TOOLS = [
    "orchestrate",
    "generate_feature",
    "review_code",
    "generate_infrastructure",
    "generate_pipeline",
    "generate_documentation",
    "search_context",
]
BOTH = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))


def rpc(http, method, params, headers=None, **more):
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params} | more
    return http.post("/mcp", json=body, headers=BOTH | (headers or {}))


def modern(http, method, params, headers=None):
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    named = {"mcp-protocol-version": "2026-07-28", "mcp-method": method} | (headers or {})
    if "name" in params:
        named["mcp-name"] = params["name"]
    return rpc(http, method, params | {"_meta": meta}, named)


def test_the_plain_list_names_the_tools_and_their_arguments():
    with client("gateway-mcp") as http:
        tools = http.get("/api/tools").json()["tools"]
    assert [tool["name"] for tool in tools] == TOOLS
    assert tools[0]["arguments"] == ["description", "priority"]


def test_a_client_of_2026_lists_tools_without_a_handshake():
    with client("gateway-mcp") as http:
        response = modern(http, "tools/list", {})
    assert response.headers["content-type"].startswith("application/json")
    tools = response.json()["result"]["tools"]
    assert [tool["name"] for tool in tools] == TOOLS
    assert tools[2]["inputSchema"]["properties"]["language"]["const"] == "python"


def test_a_client_of_2025_initializes_first_and_needs_no_session():
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    with client("gateway-mcp") as http:
        result = rpc(http, "initialize", hello).json()["result"]
        assert (result["protocolVersion"], result["serverInfo"]["name"]) == ("2025-06-18", "gateway-mcp")
        listed = rpc(http, "tools/list", {}, {"mcp-protocol-version": "2025-06-18"})
        assert "mcp-session-id" not in listed.headers
    assert [tool["name"] for tool in listed.json()["result"]["tools"]] == TOOLS


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "auto", "2026-07-28"])
async def test_the_official_client_calls_a_tool(mode):
    gateway = module("gateway-mcp")
    gateway.peers.transport = Stack()
    async with (
        gateway.app.router.lifespan_context(gateway.app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(gateway.app)) as http,
        Client(streamable_http_client("http://gateway/mcp", http_client=http), mode=mode) as mcp,
    ):
        result = await mcp.call_tool("review_code", {"code": "import os"})
    assert not result.is_error
    assert result.structured_content["issues"][0]["rule"] == "unused-import"


def test_an_agents_refusal_is_told_to_the_model_in_its_own_words():
    with client("gateway-mcp") as http:
        result = modern(http, "tools/call", {"name": "generate_feature", "arguments": {"feature": "!!!"}}).json()[
            "result"
        ]
    assert result["isError"] is True
    assert "holds no word" in result["content"][0]["text"]


def test_an_absent_agent_is_told_to_the_model():
    with client("gateway-mcp") as http:
        module("gateway-mcp").peers.transport = Stack(down=("cicd",))
        result = modern(http, "tools/call", {"name": "generate_pipeline", "arguments": {}}).json()["result"]
    assert "cicd gave no answer" in result["content"][0]["text"]


@pytest.mark.parametrize("era", [modern, rpc])
def test_a_tool_call_belongs_to_the_trace_of_its_request(era):
    asked = {"name": "review_code", "arguments": {"code": "x = 1"}}
    with spans_of("gateway-mcp", "code-review") as spans, client("gateway-mcp") as http:
        assert "result" in json.loads(era(http, "tools/call", asked, headers=TRACEPARENT).text)
        done = spans.get_finished_spans()
    assert [span.name for span in done] == ["POST /review", "tool review_code"]
    assert {f"{span.context.trace_id:032x}" for span in done} == {TRACE}
    assert done[0].parent.span_id == done[1].context.span_id


def test_every_tool_reaches_its_agent():
    calls = {
        "orchestrate": {"description": "Set up CI"},
        "generate_feature": {"feature": "orders"},
        "review_code": {"code": "x = 1"},
        "generate_infrastructure": {"service": "billing"},
        "generate_pipeline": {},
        "generate_documentation": {"code": "x = 1"},
        "search_context": {"query": "orders"},
    }
    assert list(calls) == TOOLS
    with client("gateway-mcp") as http:
        module("orchestrator").peers.transport = Stack()
        module("rag-context").index.cache_clear()
        answers = {
            name: modern(http, "tools/call", {"name": name, "arguments": given}).json() for name, given in calls.items()
        }
        module("rag-context").index.cache_clear()
    assert {name: answer["result"].get("isError", False) for name, answer in answers.items()} == dict.fromkeys(
        TOOLS, False
    )


def test_a_gateway_whose_mcp_server_did_not_load_is_unhealthy(monkeypatch):
    def broken():
        raise ImportError("no mcp here")

    monkeypatch.setattr(module("gateway-mcp").endpoint, "_build", broken)
    with client("gateway-mcp") as http:
        modern(http, "tools/list", {})
        response = http.get("/health")
    assert (response.status_code, response.json()["reason"]) == (503, "no mcp here")
