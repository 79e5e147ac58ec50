"""Taking a droplet's lock has one deadline, whatever the other side says meanwhile."""

import contextlib

import pytest

from blocks.errors import Unreachable
from blocks.ssh.session import Session
from flows.core.errors import DropletBusy
from flows.tasks.droplet import lock
from tests.support.ssh_server import USER_KEY, Server, key_text

pytestmark = pytest.mark.unit


def dripping(_command, _first, channel) -> int:
    """Says something again and again, and never that the lock is held."""
    with contextlib.suppress(OSError, EOFError):
        while True:
            channel.sendall(b"busy {}\n")
    return 0


def endless_line(_command, _first, channel) -> int:
    with contextlib.suppress(OSError, EOFError):
        while True:
            channel.sendall(b"x" * 1000)
    return 0


def busy(_command, _first, channel) -> int:
    channel.sendall(b'busy {"by": "a colleague", "purpose": "deploying"}\n')
    return lock.HELD_BY_ANOTHER


def taking(work) -> None:
    with (
        Server(work) as server,
        Session(server.address(), key_text(USER_KEY)) as session,
        lock.locked(session, "/opt/slipway", "testing"),
    ):
        pytest.fail("it was held")


@pytest.mark.parametrize("work", [dripping, endless_line])
def test_a_droplet_that_goes_on_talking_is_given_up_on(monkeypatch, work):
    monkeypatch.setattr(lock, "_PATIENCE", 0.3)
    with pytest.raises(Unreachable, match="while its lock was taken"):
        taking(work)


def test_whoever_holds_it_is_named():
    with pytest.raises(DropletBusy, match="a colleague: deploying"):
        taking(busy)
