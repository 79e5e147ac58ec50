"""An answer must have come by its deadline: its headers too, and through a proxy; a request may take its time."""

import httpcore
import httpx
import pytest

from blocks.errors import Unreachable
from blocks.http import deadline
from blocks.http.bounded import bounded_client
from blocks.http.deadline import WITHIN
from blocks.registry.client import RegistryClient
from tests.support import PATIENCE
from tests.support.http_server import dripping

pytestmark = pytest.mark.unit
HEADS = {
    "status line": b"HTTP/1.1 200 O",
    "headers": b"HTTP/1.1 200 OK\r\nX-Drip: ",
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
}
_SHORT = 0.2


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_what_drips_is_given_up_on_though_bytes_come(head):
    with (
        dripping(head) as (url, left),
        bounded_client(url, timeout=PATIENCE, within=_SHORT) as http,
    ):
        with pytest.raises(httpx.ReadTimeout, match=r"did not end within 0\.2 s"):
            http.get(url)
        assert left.wait(PATIENCE)


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_a_request_may_have_a_deadline_of_its_own(head):
    with dripping(head) as (url, _), bounded_client(url, timeout=PATIENCE) as http, pytest.raises(httpx.ReadTimeout):
        http.get(url, extensions={WITHIN: _SHORT})


def test_a_proxy_that_drips_is_given_up_on(monkeypatch):
    with dripping(b"HTTP/1.1 200 OK\r\nX-Drip: ") as (proxy, _):
        monkeypatch.setenv("https_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        url = "https://registry.example"
        with bounded_client(url, timeout=PATIENCE, within=_SHORT) as http, pytest.raises(httpx.ReadTimeout):
            http.get(url)


def test_a_registry_that_drips_its_headers_is_unreachable(monkeypatch):
    monkeypatch.setattr("blocks.registry.client._WITHIN", _SHORT)
    with (
        dripping(HEADS["headers"]) as (url, _),
        RegistryClient(url.removeprefix("http://")) as registry,
        pytest.raises(Unreachable, match="did not end within"),
    ):
        registry.check()


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


def test_an_answers_time_begins_when_its_request_is_sent(monkeypatch):
    clock = Clock()

    def slowly():
        for _ in range(3):
            clock.now += 1000
            yield b"x"

    heads = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]
    monkeypatch.setattr(deadline, "time", clock)
    monkeypatch.setattr(deadline.httpcore, "SyncBackend", lambda: httpcore.MockBackend(heads))
    with bounded_client("http://x", timeout=10) as http:
        assert http.post("http://x", content=slowly()).text == "ok"


@pytest.mark.parametrize(
    ("url", "kind"), [("http://127.0.0.1:1", httpx.ConnectError), ("gopher://x", httpx.UnsupportedProtocol)]
)
def test_errors_are_those_of_httpx(url, kind):
    with bounded_client(url, timeout=PATIENCE) as http, pytest.raises(kind):
        http.get(url)
