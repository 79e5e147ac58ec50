"""A new droplet's host key is replaced: patiently while it boots, at once and loudly when it shows another key."""

from types import SimpleNamespace

import pytest

from blocks.errors import HostKeyRefused, RemoteFailed, Unreachable
from blocks.polling import SYSTEM
from flows.core.cloud.provisioning import MAKE_HOST_KEY, USE_HOST_KEY
from flows.core.errors import HostKeyNotConfirmed
from flows.tasks.cloud import droplets

pytestmark = pytest.mark.unit
OLD, NEW = "ssh-ed25519 OLD", "ssh-ed25519 NEW"


class Server:
    """An SSH server that shows a host key, is away for so many connections, and takes a new key at a restart."""

    def __init__(self, away: int = 0, takes: str = NEW, restart: int = 2):
        self.away, self.takes, self.restart, self.shows, self.ran = away, takes, restart, OLD, []

    def run(self, pinned: str, script: str) -> str:
        if self.away:
            self.away -= 1
            raise Unreachable("it boots")
        if pinned != self.shows:
            raise HostKeyRefused(f"it shows {self.shows}")
        self.ran.append(script)
        if script == USE_HOST_KEY:
            self.shows, self.away = self.takes, self.restart
        return f"{NEW} root@droplet\n" if script == MAKE_HOST_KEY else ""


class Droplet:
    """A block of that server."""

    address = "droplet trial"

    def __init__(self, server: Server, host_key: str = OLD):
        self.server, self.host_key = server, host_key

    def model_copy(self, update):
        return Droplet(self.server, **update)

    def session(self):
        return self

    def __enter__(self):
        return self

    def run(self, script, timeout):
        return SimpleNamespace(out=self.server.run(self.host_key, script))

    def __exit__(self, *_):
        return None


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """What is slept, in no time."""
    slept: list[float] = []
    monkeypatch.setattr(SYSTEM, "sleep", slept.append)
    return slept


def test_a_droplet_that_boots_is_waited_for_and_gets_a_key_of_its_own(pauses):
    server = Server(away=3)
    assert droplets.replace_host_key.fn(Droplet(server)) == NEW
    assert server.ran == [MAKE_HOST_KEY, USE_HOST_KEY, "true"]
    assert pauses == [1.0, 1.0, 1.0, 0.5, 0.5]


def test_another_key_than_the_given_one_is_not_waited_for():
    server = Server()
    with pytest.raises(HostKeyNotConfirmed, match="it shows ssh-ed25519 OLD"):
        droplets.replace_host_key.fn(Droplet(server, "ssh-ed25519 GIVEN"))
    assert server.ran == []


def test_a_new_key_that_is_not_taken_is_an_error(monkeypatch):
    monkeypatch.setattr(droplets, "_QUICK", 0.0)
    with pytest.raises(HostKeyNotConfirmed, match="did not take its new host key: it shows ssh-ed25519 OLD"):
        droplets.replace_host_key.fn(Droplet(Server(takes=OLD, restart=0)))


def test_a_script_that_fails_is_an_error(monkeypatch):
    def fails(_droplet, script):
        if script == USE_HOST_KEY:
            raise RemoteFailed("read-only", 1, "")
        return f"{NEW} x"

    monkeypatch.setattr(droplets, "_run", fails)
    with pytest.raises(HostKeyNotConfirmed, match="droplet trial did not take its new host key: read-only"):
        droplets.replace_host_key.fn(Droplet(Server()))
