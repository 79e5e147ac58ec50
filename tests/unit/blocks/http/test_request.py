"""One HTTP request with an end, however slowly its answer comes."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest

from blocks.http.request import request_within
from tests.support import PATIENCE
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit


@contextmanager
def dripping() -> Iterator[str]:
    """The address of a server whose answer comes a byte at a time, and does not end by itself."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            client, _ = server.accept()
            with client, suppress(OSError):
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while not over.wait(0.02):
                    client.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        over.set()
        thread.join()


def test_an_answer_is_given_whole():
    with serving(lambda _asked: Says(content={"a": 1})) as server:
        assert request_within("GET", server.url, PATIENCE, params={"q": "x"}).json() == {"a": 1}
        assert server.asked[0].query == {"q": ["x"]}


def test_an_answer_that_drips_has_an_end(monkeypatch):
    client = httpx.Client
    # httpx's own limit begins anew with every byte, so that it never comes.
    monkeypatch.setattr(httpx, "Client", lambda **options: client(**{**options, "timeout": None}))
    with dripping() as url, pytest.raises(httpx.ReadTimeout, match=r"did not end within 0\.1 s"):
        request_within("GET", url, 0.1)


def test_nobody_there_is_told_as_httpx_tells_it():
    with pytest.raises(httpx.ConnectError):
        request_within("GET", "http://127.0.0.1:1", 2)
