"""The droplet block: what it shows, and asking for a host key without trusting it."""

import socket

import paramiko
import pytest
from pydantic import ValidationError

from blocks import Droplet
from blocks.errors import HostKeyRefused
from blocks.ssh.keys import key_fingerprint
from tests.support.ssh_server import HOST_KEY, USER_KEY, Server, key_text, public

pytestmark = pytest.mark.unit


def say_version(_command, _first, channel) -> int:
    channel.sendall(b"26.1.5\n")
    return 0


def droplet(address, **more) -> Droplet:
    return Droplet(
        **{
            "host": address.host,
            "port": address.port,
            "private_key": key_text(USER_KEY),
            "host_key": address.host_key,
            **more,
        }
    )


def test_the_host_key_it_shows_is_the_one_to_pin():
    with Server(say_version) as server:
        key, shown = droplet(server.address(None)).seen_host_key()
    assert (key, shown) == (public(HOST_KEY), key_fingerprint(HOST_KEY))


def test_a_host_that_says_nothing_is_not_waited_for(monkeypatch):
    limits, start = [], paramiko.Transport.start_client

    def start_client(self, event=None, timeout=None):
        limits.append(timeout)  # paramiko's own limit is 15 s
        return start(self, event, timeout)

    monkeypatch.setattr(paramiko.Transport, "start_client", start_client)
    with socket.create_server(("127.0.0.1", 0), backlog=8) as silent:
        host, port = silent.getsockname()
        with pytest.raises(HostKeyRefused, match="shows no host key"):
            Droplet(host=host, port=port, private_key="x").seen_host_key(timeout=0.2)
    assert limits == [0.2]


def test_a_connection_that_does_not_come_about_has_a_limit(monkeypatch):
    limits = []

    def unanswered(self, address):
        limits.append(self.gettimeout())
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket.socket, "connect", unanswered)
    with pytest.raises(HostKeyRefused, match="timed out"):
        Droplet(host="192.0.2.1", private_key="x").seen_host_key(timeout=0.2)
    assert limits == [0.2]


def test_it_is_reached_and_names_its_engine():
    with Server(say_version) as server:
        said = droplet(server.address()).reach()
    assert said.endswith(": Docker Engine 26.1.5")


def test_its_private_key_is_not_shown():
    block = Droplet(host="h", private_key="sentinel")
    assert "sentinel" not in f"{block!r} {block} {block.model_dump_json()}"


@pytest.mark.parametrize(
    "wrong", [{"port": 0}, {"port": 65536}, {"directory": "opt"}, {"directory": "/opt/my stack"}, {"directory": "/a\n"}]
)
def test_a_field_that_cannot_be_meant_is_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Droplet(host="h", private_key="x", **wrong)
