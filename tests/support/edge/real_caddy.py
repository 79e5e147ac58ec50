"""A real Caddy on loopback that is told what an edge is told, in front of small servers that stand for the colours."""

import contextlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from flows.core.droplet.versions import version
from flows.core.traffic.edge.caddyfile import EdgeSettings
from flows.core.traffic.edge.places import READY, READY_PATH
from flows.core.traffic.edge.site import Site
from tests.support import PATIENCE, wait_until

needs_caddy = pytest.mark.skipif(not shutil.which("caddy"), reason="no caddy on PATH: apt install caddy")
HOST = "agents.example.com"


def caddy_version() -> tuple[int, ...]:
    """The version on PATH; (0, 0, 0) without one."""
    if not shutil.which("caddy"):
        return (0, 0, 0)
    return version(subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout.split()[0])


@dataclass
class Colour:
    """A server that stands for a colour: what it was asked, and what it holds back until it is told."""

    name: str
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    port: int = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, *_words) -> None:
        """Nothing on the terminal."""

    def do_GET(self) -> None:
        colour, parts = self.server.colour, urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        colour.asked.append((self.command, self.path, {n.lower(): v for n, v in self.headers.items()}))
        act = {"/drop": self._drop, "/stream": self._stream, "/socket": self._socket}.get(parts.path)
        if act:
            act(query)
            return
        if parts.path == "/slow":
            assert colour.go_on.wait(PATIENCE)
        content = body or (colour.name * int(query.get("times", 1))).encode()
        self.send_response(200)
        self.send_header("Content-Type", query.get("type", "text/plain"))
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Slipway-Colour", "of the service")
        self.send_header("X-Slipway-Release", "of the service")
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815

    def _drop(self, _query: dict[str, str]) -> None:
        """Close the connection without an answer."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _stream(self, query: dict[str, str]) -> None:
        """One piece, and the other once it is told to go on."""
        self.send_response(200)
        self.send_header("Content-Type", query.get("type", "text/event-stream"))
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, piece in enumerate((b"data: one\n\n", b"data: two\n\n")):
            if number:
                assert self.server.colour.go_on.wait(PATIENCE)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _socket(self, _query: dict[str, str]) -> None:
        """Become something else than HTTP, which says what it hears."""
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        self.wfile.flush()
        self.close_connection = True
        while heard := self.connection.recv(100):
            self.connection.sendall(self.server.colour.name.encode() + b":" + heard)


@contextlib.contextmanager
def colour_server(name: str, port: int = 0) -> Iterator[Colour]:
    """A colour that serves on a port of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", port), _Handler) as server:
        server.daemon_threads = True
        server.colour = colour = Colour(name, port=server.server_port)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield colour
        finally:
            colour.go_on.set()
            server.shutdown()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class RealCaddy:
    """Caddy in a directory that is laid out as the edge's, at two free ports. Used as a context manager."""

    def __init__(self, place: Path) -> None:
        self.place, self.http, self.https = place, free_port(), free_port()
        for part in ("config/sites", "state", "log", "data"):
            (place / part).mkdir(parents=True)
        self._running: list[subprocess.Popen] = []
        self._hosts: set[str] = set()
        self.put_settings()

    def put_settings(self) -> None:
        """Write the main file."""
        admin = f"unix/{self.place}/admin{len(self._running)}.sock"
        told = EdgeSettings("", "internal", caddy_version(), admin, self.http, self.https, "127.0.0.1")
        (self.place / "config/Caddyfile").write_text(told.text())

    def put(self, site: Site) -> None:
        """Write a site; places inside the container become those here."""
        (self.place / f"state/{site.stack}/release").mkdir(parents=True, exist_ok=True)
        self._hosts |= set(site.hosts)
        text = site.text().replace(" /state/", f" {self.place}/state/").replace(" /log/", f" {self.place}/log/")
        (self.place / f"config/sites/{site.stack}.caddy").write_text(text)

    def turn(self, stack: str, *colours: str) -> None:
        """Make these the active colours, as the switch does: by a rename where one becomes another."""
        state = self.place / "state" / stack
        there = [name for name in ("green", "blue") if (state / name).exists()]
        if len(there) == len(colours) == 1:
            (state / there[0]).rename(state / colours[0])
            return
        for name in ("green", "blue"):
            (state / name).unlink(missing_ok=True)
        for name in colours:
            (state / name).touch()

    def run(self, *argv: str) -> subprocess.CompletedProcess:
        """Run `caddy` on this configuration."""
        config = ("--config", str(self.place / "config/Caddyfile"), "--adapter", "caddyfile")
        return subprocess.run(
            ["caddy", *argv, *config], env=self._env(), capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    def start(self) -> subprocess.Popen:
        """Start one, beside those that run; it serves then."""
        log = self.place / f"log/caddy{len(self._running)}"
        config = ("--config", str(self.place / "config/Caddyfile"), "--adapter", "caddyfile")
        with log.open("w") as out:
            started = subprocess.Popen(["caddy", "run", *config], env=self._env(), stdout=out, stderr=out)
        self._running.append(started)
        wait_until(lambda: "serving initial configuration" in log.read_text(), why=log.read_text)
        wait_until(self._ready)
        wait_until(self._certified)
        return started

    def reload(self) -> None:
        """Put in force what is written."""
        done = self.run("reload")
        assert done.returncode == 0, done.stderr
        wait_until(self._certified)

    def client(self, **options) -> httpx.Client:
        """A client that trusts its certificates."""
        return httpx.Client(verify=False, timeout=PATIENCE, trust_env=False, **options)

    def get(self, path: str = "/", host: str = HOST, method: str = "GET", **options) -> httpx.Response:
        """An answer by HTTPS, on a connection of its own."""
        with self.client() as client:
            return self.send(client, path, host, method, **options)

    def send(
        self, client: httpx.Client, path: str, host: str = HOST, method: str = "GET", headers=None, **more
    ) -> httpx.Response:
        """An answer by HTTPS."""
        return client.request(method, f"https://127.0.0.1:{self.https}{path}", **self.named(host, headers), **more)

    def named(self, host: str = HOST, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """What makes a request to 127.0.0.1 one for that host."""
        return {"headers": {"Host": host, **(headers or {})}, "extensions": {"sni_hostname": host}}

    def stream(self, client: httpx.Client, path: str, **headers: str):
        """An answer by HTTPS that is read as it comes."""
        return client.stream("GET", f"https://127.0.0.1:{self.https}{path}", **self.named(headers=headers))

    def __enter__(self) -> "RealCaddy":
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        for one in self._running:
            one.kill()
            one.wait(PATIENCE)

    def _ready(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{self.http}{READY_PATH}", trust_env=False).text == READY
        return False

    def _certified(self) -> bool:
        """Whether it has a certificate for each host: it makes them once it serves."""
        with contextlib.suppress(httpx.TransportError):
            for host in self._hosts:
                self.get("/.slipway/active", host.replace("*", "a"))
            return True
        return False

    def _env(self) -> dict[str, str]:
        data = str(self.place / "data")
        return {**os.environ, "XDG_DATA_HOME": data, "XDG_CONFIG_HOME": data, "HOME": data}
