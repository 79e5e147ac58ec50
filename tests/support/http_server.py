"""An HTTP server in this process that answers with what a test gave it, and keeps what it was asked."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict:
        return json.loads(self.body)


@dataclass
class Says:
    """One answer: a mapping is sent as JSON."""

    status: int = 200
    content: object = b""
    headers: dict[str, str] = field(default_factory=dict)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *_words) -> None:
        """Nothing on the terminal."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, parts.path, parse_qs(parts.query), headers, body)
        self.server.asked.append(asked)
        says = self.server.answer(asked)
        content = says.content if isinstance(says.content, bytes) else json.dumps(says.content).encode()
        self.send_response(says.status)
        for name, value in {"Content-Length": str(len(content)), **says.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_DELETE = do_PUT = do_PATCH = do_GET  # noqa: N815


@contextmanager
def serving(answer: Callable[[Asked], Says], tls: ssl.SSLContext | None = None):
    """Serve on a port of this machine; yields the server, with its `url` and all it was `asked`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.asked, server.answer, server.url = [], answer, f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()  # or it would turn round and round over a closed socket


@contextmanager
def dripping(head: bytes) -> Iterator[tuple[str, threading.Event]]:
    """A server whose answer comes a byte at a time, and does not end by itself: its address, and when it was left."""
    over, left = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            client, _ = server.accept()
            with client, suppress(OSError):
                client.sendall(head)
                while not over.wait(0.02):
                    client.sendall(b"x")
            left.set()

        thread = threading.Thread(target=drip)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", left
        over.set()
        thread.join()
