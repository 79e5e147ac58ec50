"""A small edge on loopback that answers as the sample does, until a test tells it to do something wrong."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.support import PATIENCE

REASONS = {200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 404: "Not Found", 502: "Bad Gateway"}


@dataclass
class Edge:
    """What it has stored and been asked, and its faults: `METHOD path` → what to do instead, each once."""

    colour: str = "green"
    release: str = "r1"
    url: str = ""
    tasks: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    connections: int = 0
    ticks: int = 0
    faults: dict[str, list[object]] = field(default_factory=dict)

    def once(self, request: str, *faults: object) -> None:
        """A status, a body `<…`, `reset`, `hang`; None answers well.

        For a stream: after how many ticks it ends, or `silent`. For MCP: `forget` the session. For a write: `lose`
        (201, not stored), `keep` (502, and stored) or `again` (200).
        """
        self.faults.setdefault(request, []).extend(faults)

    def has_met(self, asked: dict[str, int], ticks: int) -> bool:
        """All faults that clients can meet were met, and it was asked each of these so often."""
        often = all(self.asked.count(name) >= times for name, times in asked.items())
        left = any(left for request, left in self.faults.items() if request != "GET /api/tasks")
        return often and self.ticks >= ticks and not left

    def fault(self, request: str) -> object:
        return self.faults[request].pop(0) if self.faults.get(request) else None


@dataclass
class Asked:
    """One request on a connection."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: dict


async def read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
    method, target, _ = head[0].split()
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    parts = urlsplit(target)
    return Asked(method, parts.path, parse_qs(parts.query), headers, json.loads(body or b"{}"))


class Handler:
    """One connection."""

    def __init__(self, edge: Edge, writer: asyncio.StreamWriter, number: int) -> None:
        self.edge, self.writer, self.number = edge, writer, number

    async def handle(self, asked: Asked) -> bool:
        """Answer; whether the connection is kept."""
        request = f"{asked.method} {asked.path}"
        self.edge.asked.append(f"{request} {asked.headers['connection']}")
        fault = self.edge.fault(request)
        if fault == "reset":
            self.writer.transport.abort()
            return False
        if fault == "hang":
            await asyncio.get_running_loop().create_future()  # until its loop ends
        if isinstance(fault, str) and fault.startswith("<"):
            return self.say(200, fault)
        if isinstance(fault, int) and fault >= 200:
            return self.say(fault, {"error": "no"})
        answers: dict[str, Callable[[Asked, object], Awaitable[bool]]] = {
            "GET /health": self.health, "GET /api/wait": self.wait, "GET /api/tasks": self.count,
            "POST /api/tasks": self.store, "GET /api/events": self.events, "POST /mcp": self.mcp,
            "DELETE /mcp": self.close,
        }  # fmt: skip
        return await answers[request](asked, fault) and asked.headers.get("connection") != "close"

    def say(self, status: int, content: object, **headers: str) -> bool:
        body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        told = {"Content-Length": str(len(body)), "X-Slipway-Colour": self.edge.colour, **headers}
        lines = [f"HTTP/1.1 {status} {REASONS[status]}", *(f"{name}: {value}" for name, value in told.items())]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        return True

    async def health(self, _asked: Asked, _fault: object) -> bool:
        return self.say(200, {"status": "ok", "release": self.edge.release})

    async def wait(self, _asked: Asked, _fault: object) -> bool:
        return self.say(200, {"waited": True})

    async def store(self, asked: Asked, fault: object) -> bool:
        key = asked.body["id"]
        new = key not in self.edge.tasks
        if fault != "lose":
            self.edge.tasks.add(key)
        if fault == "keep":
            return self.say(502, "bad gateway")
        return self.say(201 if new and fault != "again" else 200, {"id": key})

    async def count(self, asked: Asked, _fault: object) -> bool:
        found = [key for key in self.edge.tasks if key.startswith(asked.query["prefix"][0])]
        return self.say(200, {"count": len(found), "tasks": found[:1]})

    async def events(self, _asked: Asked, fault: object) -> bool:
        told = ["HTTP/1.1 200 OK", "Content-Type: text/event-stream", f"X-Slipway-Colour: {self.edge.colour}"]
        self.writer.write(("\r\n".join([*told, "Connection: close"]) + "\r\n\r\n").encode())
        for number in range(fault if isinstance(fault, int) else 10_000):
            if fault == "silent" and number:
                await asyncio.get_running_loop().create_future()  # until its loop ends
            self.writer.write(f": here\nevent: tick\ndata: {number}\n\n".encode())
            await self.writer.drain()
            self.edge.ticks += 1
            await asyncio.sleep(0.02)  # the pace of the stream; nothing is awaited by it
        return False

    async def mcp(self, asked: Asked, fault: object) -> bool:
        method, session = asked.body["method"], asked.headers.get("mcp-session-id")
        if fault == "forget":
            self.edge.sessions.clear()
        if method == "initialize":
            self.edge.sessions.add(f"s{self.number}")
            return self.message({"protocolVersion": "2025-06-18"}, **{"Mcp-Session-Id": f"s{self.number}"})
        if method == "notifications/initialized":
            self.edge.asked.append(method)
            return self.say(202, "")
        if "_meta" not in asked.body["params"] and session not in self.edge.sessions:
            return self.say(404, {"error": "no such session"})
        return self.message({"tools": [{"name": "orchestrate"}]})

    async def close(self, asked: Asked, _fault: object) -> bool:
        self.edge.sessions.discard(asked.headers["mcp-session-id"])
        return self.say(204, "")

    def message(self, result: dict, **headers: str) -> bool:
        return self.say(200, {"jsonrpc": "2.0", "id": 1, "result": result}, **headers)


@contextmanager
def edge_on_loopback() -> Iterator[Edge]:
    """Serve from a thread of its own, until the context is left."""
    edge, ready, loop, over = Edge(), threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        edge.connections += 1
        handler = Handler(edge, writer, edge.connections)
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while await handler.handle(await read(reader)):
                await writer.drain()
        writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(connection, "127.0.0.1", 0)
        edge.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await over.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield edge
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(PATIENCE)
