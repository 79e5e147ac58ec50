"""HTTP through an SSH connection, to a server that only the droplet can reach."""

import httpx
import pytest

from blocks.http.bounded import MOST
from blocks.ssh.http import http_client
from blocks.ssh.session import Session
from tests.support import PATIENCE
from tests.support.http_server import Says, dripping, serving
from tests.support.ssh_server import USER_KEY, Server, key_text

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def service():
    def answer(asked):
        if asked.path == "/large":
            return Says(200, b"x" * 300_000)
        return Says(404 if asked.path == "/none" else 200, {"path": asked.path, "said": asked.body.decode()})

    with serving(answer) as server:
        yield server


@pytest.fixture(scope="module")
def client():
    with (
        Server(lambda _command, _first, _channel: 0) as server,
        Session(server.address(), key_text(USER_KEY)) as session,
        http_client(session, timeout=PATIENCE) as client,
    ):
        yield client


def test_a_request_and_its_answer_go_through(client, service):
    answer = client.post(f"{service.url}/run?a=1", json={"n": 1}, headers={"traceparent": "00-1"})
    assert answer.json() == {"path": "/run", "said": '{"n":1}'}
    assert service.asked[-1].query == {"a": ["1"]}
    assert service.asked[-1].headers["traceparent"] == "00-1"


def test_an_error_of_the_service_is_its_answer(client, service):
    assert client.get(f"{service.url}/none").status_code == 404


def test_a_large_answer_arrives_whole(client, service):
    assert len(client.get(f"{service.url}/large").content) == 300_000


def test_a_port_that_nobody_listens_on_is_no_connection(client):
    with pytest.raises(httpx.ConnectError):
        client.get("http://127.0.0.1:1/")


def test_containers_are_probed_without_tls(client, service):
    with pytest.raises(httpx.UnsupportedProtocol, match="TLS ends at the edge"):
        client.get(service.url.replace("http:", "https:"))


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Drip: "])
def test_a_service_that_drips_is_given_up_on(head):
    with (
        dripping(head) as (url, _left),
        Server(lambda _command, _first, _channel: 0) as server,
        Session(server.address(), key_text(USER_KEY)) as session,
        http_client(session, timeout=PATIENCE) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.get(url, timeout=0.2)


def test_a_service_that_floods_is_given_up_on(client, service):
    with pytest.raises(httpx.ReadError, match="larger"):
        client.get(f"{service.url}/large", extensions={MOST: 100_000})
