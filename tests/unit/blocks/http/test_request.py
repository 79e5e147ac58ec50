"""One HTTP request with an end, however slowly its answer comes."""

import socket
import threading
import time

import httpx
import pytest

from blocks.http.request import request_within
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit


def dripping() -> socket.socket:
    """A server that sends a byte every 50 ms and never ends."""
    server = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        try:
            client, _ = server.accept()
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while True:
                client.sendall(b"x")
                time.sleep(0.05)
        except OSError:
            return

    threading.Thread(target=drip, daemon=True).start()
    return server


def test_an_answer_is_given_whole():
    with serving(lambda _asked: Says(content={"a": 1})) as server:
        assert request_within("GET", server.url, 5, params={"q": "x"}).json() == {"a": 1}
        assert server.asked[0].query == {"q": ["x"]}


def test_an_answer_that_drips_has_an_end():
    with dripping() as server, pytest.raises(httpx.ReadTimeout, match=r"did not end within 0\.2 s"):
        request_within("GET", f"http://127.0.0.1:{server.getsockname()[1]}", 0.2)


def test_nobody_there_is_told_as_httpx_tells_it():
    with pytest.raises(httpx.ConnectError):
        request_within("GET", "http://127.0.0.1:1", 2)
