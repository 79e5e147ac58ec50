"""gateway-mcp: the agents as MCP tools at /mcp, and plain HTTP beside it at /api: tools, tasks, a wait, a stream."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Literal

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from agents.common.app import Agent
from agents.common.colour import ColourMiddleware
from agents.common.fields import ID, Fields, Refused
from agents.common.peers import Peers
from agents.common.ticks import ticks
from agents.common.tracing import record

LOAD_LIMIT_S = 20
Tool = Callable[..., Awaitable[dict[str, Any]]]

agent = Agent("gateway-mcp")
peers = Peers()


async def orchestrate(
    description: str, priority: Literal["low", "medium", "normal", "high", "critical"] = "normal"
) -> dict[str, Any]:
    """Plan a piece of work, have the agents do it, and store the task."""
    return await peers.call("orchestrator", "/orchestrate", {"description": description, "priority": priority})


async def generate_feature(feature: str, framework: Literal["plain", "fastapi", "flask"] = "plain") -> dict[str, Any]:
    """Write the first version of a feature as Python that compiles."""
    return await peers.call("feature-dev", "/generate", {"feature": feature, "framework": framework})


async def review_code(code: str, language: Literal["python"] = "python") -> dict[str, Any]:
    """Parse code and report what is wrong with it, line by line."""
    return await peers.call("code-review", "/review", {"code": code, "language": language})


async def generate_infrastructure(
    service: str, platform: Literal["docker-compose", "kubernetes", "terraform"] = "docker-compose"
) -> dict[str, Any]:
    """Write the file that runs a service on a platform."""
    return await peers.call("infrastructure", "/generate-iac", {"service": service, "platform": platform})


async def generate_pipeline(
    platform: Literal["github-actions", "gitlab"] = "github-actions",
    language: Literal["python", "node", "go"] = "python",
) -> dict[str, Any]:
    """Write a pipeline that installs, lints and tests a project."""
    return await peers.call("cicd", "/generate-pipeline", {"platform": platform, "language": language})


async def generate_documentation(code: str, format: Literal["markdown", "html", "rst"] = "markdown") -> dict[str, Any]:
    """Write reference documentation from code's signatures and docstrings."""
    return await peers.call("documentation", "/generate-docs", {"code": code, "format": format})


async def search_context(query: str, limit: int = 5) -> dict[str, Any]:
    """Find the stored documents that fit a question."""
    return await peers.call("rag-context", "/search", {"query": query, "limit": limit})


TOOLS = (
    orchestrate,
    generate_feature,
    review_code,
    generate_infrastructure,
    generate_pipeline,
    generate_documentation,
    search_context,
)


@agent.workflow("GET", "/api/tools")
def tools(_fields: Fields) -> dict[str, Any]:
    """The tools' names, what they do, and their arguments."""
    return {
        "tools": [
            {
                "name": tool.__name__,
                "description": inspect.getdoc(tool),
                "arguments": list(inspect.signature(tool).parameters),
            }
            for tool in TOOLS
        ]
    }


@agent.workflow("POST", "/api/tasks")
async def store_task(fields: Fields) -> tuple[int, dict[str, Any]]:
    """Store the object under its ``id``, once however often it is sent; an answer means that it is stored.

    201 when it is new, 200 when it was there, 409 when something else is there under this id.
    """
    fields.text("id", like=ID)
    stored = await peers.call("state-persistence", "/tasks", dict(fields), tries=3)
    return (201 if stored.get("stored") else 200), stored


@agent.workflow("GET", "/api/tasks/{id}")
async def show_task(fields: Fields) -> dict[str, Any]:
    """A stored task."""
    return await peers.get("state-persistence", f"/tasks/{fields.text('id', like=ID)}")


@agent.workflow("GET", "/api/tasks")
async def recent_tasks(fields: Fields) -> dict[str, Any]:
    """How many tasks there are, and the newest ids; ``prefix`` and ``limit`` choose."""
    return await peers.get(
        "state-persistence", "/tasks", {key: fields[key] for key in ("prefix", "limit") if key in fields}
    )


@agent.workflow("GET", "/api/wait", traced=False)
async def wait(fields: Fields) -> dict[str, Any]:
    """An answer after ``seconds``, at most 30: from outside, a long tool call."""
    seconds = fields.whole("seconds", 5, 0, 30)
    await asyncio.sleep(seconds)
    return {"waited": seconds, "release": agent.release}


async def events(_request: Request) -> Response:
    """An event stream: from outside, a client that stays connected."""
    return ticks(agent.ending)


class McpEndpoint:
    """The official SDK's server, stateless, for clients of 2026-07-28 and for those that initialize first.

    Importing the SDK takes longer than everything else in the stack takes to start, so it is loaded beside the
    first health checks; a request that comes before it is done waits for it. Answers are plain JSON, not event
    streams: no tool reports progress, and an answer that is one message survives a traffic switch.
    """

    def __init__(self) -> None:
        self._loaded: asyncio.Future[Any] | None = None

    async def run(self) -> None:
        """Load the server and hold it open until cancelled."""
        self._loaded = asyncio.get_running_loop().create_future()
        try:
            manager = await asyncio.to_thread(self._build)
            async with manager.run():
                self._loaded.set_result(manager)
                await asyncio.Event().wait()
        except Exception as problem:
            self._loaded.set_exception(problem)
            raise

    @staticmethod
    def _build() -> Any:
        from mcp.server.mcpserver import MCPServer  # noqa: PLC0415
        from mcp.server.transport_security import TransportSecuritySettings  # noqa: PLC0415

        server = MCPServer("gateway-mcp", version=agent.release, log_level="WARNING")
        for tool in TOOLS:
            server.add_tool(_traced(tool))
        # The host name is the edge's business; published ports are bound to loopback.
        open_hosts = TransportSecuritySettings(enable_dns_rebinding_protection=False)
        server.streamable_http_app(stateless_http=True, json_response=True, transport_security=open_hosts)
        return server.session_manager

    def check(self) -> None:
        """Raise what made the server fail to load, if anything did."""
        if self._loaded is not None and self._loaded.done():
            self._loaded.result()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._loaded is not None
        manager = await asyncio.wait_for(asyncio.shield(self._loaded), LOAD_LIMIT_S)
        with agent.tracing.continued(Headers(scope=scope)):
            await manager.handle_request(scope, receive, send)


def _traced(tool: Tool) -> Tool:
    """The tool inside a span of the trace that the MCP request came with."""
    from mcp.server.mcpserver.exceptions import ToolError  # noqa: PLC0415

    @wraps(tool)
    async def run(**arguments: Any) -> dict[str, Any]:
        with agent.tracing.workflow(f"tool {tool.__name__}", {}) as span:
            record(span, "input", arguments)
            try:
                answer = await tool(**arguments)
            except Refused as refused:
                raise ToolError(refused.message) from None  # the agent's own words, for the model that called
            record(span, "output", answer)
            return answer

    return run


endpoint = McpEndpoint()
agent.routes += [Route("/mcp", endpoint), Route("/api/events", events)]
agent.checks.append(endpoint.check)
agent.background.append(endpoint.run)
agent.loads.append(peers.load)
app = agent.app()
app.add_middleware(ColourMiddleware)
