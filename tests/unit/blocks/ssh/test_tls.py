"""HTTPS through an SSH connection to an edge that only the droplet reaches; its certificate is checked as anywhere."""

import httpx
import pytest

from blocks import CaddySwitch, Droplet
from blocks.errors import Unreachable
from blocks.ssh.http import EdgeAddress, http_client
from blocks.ssh.session import Session
from tests.support import PATIENCE
from tests.support.http_server import Says, serving
from tests.support.lab_scripts import lab_certificates
from tests.support.registry_server import server_context
from tests.support.ssh_server import USER_KEY, Server, key_text

pytestmark = pytest.mark.unit
NAME = "agents.example.com"
AUTHORITY, ANOTHER = (lab_certificates().Authority(name) for name in ("the edge's", "another"))


@pytest.fixture(scope="module")
def edge(tmp_path_factory):
    """An HTTPS server with a certificate of an authority of its own; it keeps the names that TLS asks for."""
    context = server_context(tmp_path_factory.mktemp("tls"), *AUTHORITY.sign((NAME,)))
    names = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)

    def answer(asked):
        if asked.path == "/large":
            return Says(200, b"x" * 300_000)
        return Says(200, {"host": asked.headers["host"], "said": len(asked.body)}, {"X-Slipway-Colour": "blue"})

    with serving(answer, tls=context) as server:
        server.names = names
        yield server


@pytest.fixture(scope="module")
def session():
    with (
        Server(lambda _command, _first, _channel: 0) as server,
        Session(server.address(), key_text(USER_KEY)) as session,
    ):
        yield session


@pytest.fixture
def client(session, edge):
    with http_client(
        session, PATIENCE, edge=EdgeAddress("127.0.0.1", edge.server_port, AUTHORITY.certificate)
    ) as client:
        yield client


def test_the_edge_is_asked_under_the_name_that_clients_use(client, edge):
    answer = client.get(f"https://{NAME}/health")
    assert answer.json()["host"] == NAME
    assert edge.names[-1] == NAME


def test_much_goes_both_ways(client):
    assert client.post(f"https://{NAME}/", content=b"y" * 300_000).json()["said"] == 300_000
    assert len(client.get(f"https://{NAME}/large").content) == 300_000


def test_a_second_request_uses_the_connection_of_the_first(client, edge):
    client.get(f"https://{NAME}/")
    before = len(edge.names)
    client.get(f"https://{NAME}/")
    assert len(edge.names) == before


@pytest.mark.parametrize(("trusted", "name"), [("", NAME), (ANOTHER, NAME), (AUTHORITY, "other.example.com")])
def test_a_certificate_of_somebody_else_is_no_connection(session, edge, trusted, name):
    address = EdgeAddress("127.0.0.1", edge.server_port, trusted and trusted.certificate)
    asked = len(edge.asked)
    with (
        http_client(session, PATIENCE, edge=address) as client,
        pytest.raises(httpx.ConnectError, match="certificate verify failed"),
    ):
        client.get(f"https://{name}/")
    assert len(edge.asked) == asked


def test_a_server_without_tls_is_no_connection(session):
    with (
        serving(lambda _asked: Says()) as plain,
        http_client(session, PATIENCE, edge=EdgeAddress("127.0.0.1", plain.server_port)) as client,
        pytest.raises(httpx.ConnectError, match=f"TLS with {NAME}"),
    ):
        client.get(f"https://{NAME}/")


def test_an_edge_that_does_not_listen_is_no_connection(session):
    with (
        http_client(session, PATIENCE, edge=EdgeAddress("127.0.0.1", 1)) as client,
        pytest.raises(httpx.ConnectError),
    ):
        client.get(f"https://{NAME}/")


@pytest.fixture
def switch(session, edge, monkeypatch):
    monkeypatch.setattr(Droplet, "session", lambda _self: session)
    monkeypatch.setattr(Session, "__enter__", lambda self: self)
    host = Droplet(host="10.0.0.9", private_key="k")
    return CaddySwitch(
        url=f"https://{NAME}", host=host, probe_at=f"127.0.0.1:{edge.server_port}", authority=AUTHORITY.certificate
    )


def test_a_switch_is_probed_at_its_host_and_says_which_colour_answered(switch, edge):
    probe = switch.probe(PATIENCE)
    assert (probe.colour, probe.status) == ("blue", 200)
    assert edge.asked[-1].path == "/health"
    assert edge.asked[-1].headers["connection"] == "close"


def test_a_host_that_is_gone_is_a_probe_that_failed(switch, monkeypatch):
    def gone(_self):
        raise Unreachable("no way there")

    monkeypatch.setattr(CaddySwitch, "_open", gone)
    probe = switch.probe(PATIENCE)
    assert (probe.colour, probe.status) == (None, 0)
    assert "no way there" in probe.detail


def test_by_default_a_switch_is_probed_as_clients_ask_it():
    with serving(lambda _asked: Says(headers={"X-Slipway-Colour": "green"})) as server:
        switch = CaddySwitch(url=server.url, host=Droplet(host="10.0.0.9", private_key="k"))
        assert switch.probe(PATIENCE).colour == "green"


@pytest.mark.parametrize("place", ["127.0.0.1", "443", "a b:443"])
def test_where_a_switch_is_probed_is_a_host_and_a_port(place):
    with pytest.raises(ValueError, match="probe_at"):
        CaddySwitch(url="https://a.example.com", host=Droplet(host="10.0.0.9", private_key="k"), probe_at=place)
