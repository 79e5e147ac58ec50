"""A Prometheus and a Langfuse that can be down, slow, or talk nonsense."""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support import PATIENCE

WELL, SLOW, DRIPS, HTML, ERROR, WRONG = "well", "slow", "drips", "HTML", "an error", "other JSON"
NAN, SEVERAL, EMPTY, WORDS = "NaN", "two series", "no series", "words for numbers"
# Seconds: longer than any test waits for a command, so one that waited for such an answer fails its test.
_FOR_EVER = 2 * PATIENCE


class FakeProviders:
    """One HTTP server on loopback that plays both. `mode` may be set at any time.

    Modes: `slow` takes the request and never answers; `drips` sends a byte now and then, without an end.
    `asked` lists the paths that were asked for.
    """

    def __init__(self) -> None:
        self.mode = WELL
        self.asked: list[str] = []
        self.gone = threading.Event()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.answer(self)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        if self.mode == SLOW:
            self.gone.wait(_FOR_EVER)
            return
        if self.mode == DRIPS:
            self._drip(request)
            return
        body, status = self._body(request.path)
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _drip(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "100000")
        request.end_headers()
        deadline = time.monotonic() + _FOR_EVER
        try:
            while not self.gone.wait(0.2) and time.monotonic() < deadline:
                request.wfile.write(b" ")
        except OSError:
            return

    def _body(self, path: str) -> tuple[bytes, int]:
        if self.mode == HTML:
            return b"<html><title>It works!</title></html>", 200
        if self.mode == ERROR:
            return b"upstream connect error", 503
        if self.mode == WRONG:
            return b'{"data": 7}', 200
        if "observations" in path:
            found = {WELL: [{"name": "hello", "level": "DEFAULT"}], EMPTY: [], WORDS: ["none", 3]}.get(self.mode, [])
            return json.dumps({"data": found}).encode(), 200
        value = {NAN: "NaN", WORDS: "many"}.get(self.mode, "100" if "increase" in path else "0.001")
        series = {"metric": {}, "value": [time.time(), value]}
        result = {EMPTY: [], SEVERAL: [series, series]}.get(self.mode, [series])
        return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode(), 200

    def close(self) -> None:
        self.gone.set()
        self._server.shutdown()
        self._server.server_close()


def closed_port() -> int:
    """A port of loopback where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
