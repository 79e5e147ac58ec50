"""A registry that misbehaves: a proxy in front of the lab's, by http on a loopback address that means it everywhere."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.faults.harness.doubles.reverse_tunnel import ReverseTunnel
from tests.support.lab.lab import lab_tls
from tests.support.lab.registry_namespace import RegistryNamespace

_CHUNK = 16384
_HOP = {"connection", "transfer-encoding", "keep-alive"}


@dataclass
class Misbehaviour:
    """What is done to the requests whose path holds `of`, to so many of them (None: to all).

    Args:
        status: answer this instead of asking the registry.
        retry_after: seconds, as the header says them.
        rate: bytes a second.
        keep: send only so many bytes of a body, and close.
        honest: say the whole length in the header, so that the reader knows that something is missing.
    """

    of: str = ""
    times: int | None = None
    status: int = 0
    retry_after: int | None = None
    rate: float = 0.0
    keep: int | None = None
    honest: bool = True


class FaultyRegistry:
    """The lab's registry as seen through a proxy on a port of its own; use `well`, `misbehave` and `down`."""

    def __init__(self, upstream: str) -> None:
        self.upstream, self.tls = upstream, lab_tls()
        self.met = 0
        self._fault: Misbehaviour | None = None
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self._reverses: list[ReverseTunnel] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def misbehave(self, of: str = "", **how: Any) -> None:
        """From now on misbehave so, and count in `met` how often. `of` is a part of the path: `/app/blobs/`."""
        with self._lock:
            self.met = 0
            self._fault = Misbehaviour(of, **how)

    def well(self) -> None:
        """No fault any more."""
        with self._lock:
            self._fault = None
        self.up()

    def down(self) -> None:
        """Refuse connections, here and on the droplets."""
        for reverse in self._reverses:
            reverse.close()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def up(self) -> None:
        """Take connections again."""
        if self._server is None:
            self._server = _server(self, self.port)
            self.port = self._server.server_address[1]
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
            for reverse in self._reverses:
                reverse.open()

    def reached_from(self, reverse: ReverseTunnel) -> None:
        """Let a droplet reach it under the same address."""
        self._reverses.append(reverse)
        reverse.open()

    def fault(self, path: str) -> Misbehaviour | None:
        """The misbehaviour for one more request."""
        with self._lock:
            found = self._fault
            if found is None or found.of not in path or found.times == 0:
                return None
            self.met += 1
            if found.times is not None:
                found.times -= 1
            return found


@contextmanager
def open_faulty_registry(registry: RegistryNamespace, block: str) -> Iterator[FaultyRegistry]:
    """A faulty registry in front of the lab's, saved as a block of the same namespace."""
    from tests.support.lab.saved_blocks import saved  # noqa: PLC0415

    faulty = FaultyRegistry(registry.host)
    faulty.up()
    try:
        with saved(**{block: registry.named(registry_url=faulty.host, ca_certificate="")}):
            yield faulty
    finally:
        faulty.down()


def _server(registry: FaultyRegistry, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            fault = registry.fault(f"{self.command} {self.path}")
            body = self._body()
            self.close_connection = True
            if fault and fault.status:
                self._refuse(fault)
                return
            upstream = http.client.HTTPSConnection(registry.upstream, timeout=60, context=registry.tls)
            with suppress(OSError):
                headers = {name: text for name, text in self.headers.items() if name.lower() not in _HOP}
                headers["Content-Length"] = str(len(body))
                headers["X-Forwarded-Proto"] = "http"  # so that it names itself as its clients know it
                upstream.request(self.command, self.path, body, headers)
                self._answer(upstream.getresponse(), fault or Misbehaviour())
            upstream.close()

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def _refuse(self, fault: Misbehaviour) -> None:
            self.send_response(fault.status)
            if fault.retry_after is not None:
                self.send_header("Retry-After", str(fault.retry_after))
            if fault.status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="faulty"')
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()

        def _answer(self, answer: http.client.HTTPResponse, fault: Misbehaviour) -> None:
            length = int(answer.headers.get("Content-Length") or 0)
            kept = length if fault.keep is None else min(fault.keep, length)
            self.send_response(answer.status)
            for name, text in answer.headers.items():
                if name.lower() not in (*_HOP, "content-length"):
                    self.send_header(name, text)
            whole = fault.honest or self.command == "HEAD"
            self.send_header("Content-Length", str(length if whole else kept))
            self.send_header("Connection", "close")
            self.end_headers()
            while kept > 0 and (data := answer.read(min(_CHUNK, kept))):
                self.wfile.write(data)
                kept -= len(data)
                if fault.rate:
                    time.sleep(len(data) / fault.rate)

        do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _pass_on  # noqa: N815

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        allow_reuse_address = True

        def handle_error(self, *_who: object) -> None:
            """A client that went away is nothing to tell."""

    return Server(("127.0.0.1", port), Handler)
