"""A registry that is read-only for a while, and logins that end while images are on their way."""

import logging
from types import SimpleNamespace

import pytest

from blocks.errors import ActionUnfinished, LoginRefused, RegistryFailed, RemoteFailed
from flows.core.deploy.pull import LOGIN_FAILED, PULL_FAILED
from flows.core.errors import PullFailed, PushFailed
from flows.settings import Settings
from flows.tasks.deploy.pull import pull_references
from flows.tasks.runs import registry_writes as writable

pytestmark = pytest.mark.unit
SETTINGS = Settings(collection_timeout=7)
IMAGE = f"registry.example.com/team/web@sha256:{'a' * 64}"


class Registry:
    """`waits` are how long each wait for a collection takes; `logins` what is given out, one after the other."""

    host = "registry.example.com"

    def __init__(self, waits=(), logins=()):
        self.waits, self.logins, self.renewed = list(waits), list(logins), 0

    def wait_writable(self, within, tell):
        assert within == 7
        wait = self.waits.pop(0)
        if isinstance(wait, Exception):
            raise wait
        return wait

    def login(self, *, write):
        assert not write
        return self.logins[0]

    def renew(self, *, write):
        assert not write
        self.renewed += 1
        if len(self.logins) < 2:
            return None
        self.logins.pop(0)
        return self.logins[0]


@pytest.fixture(autouse=True)
def _log(monkeypatch):
    monkeypatch.setattr(writable, "get_run_logger", lambda: logging.getLogger("test"))


@pytest.mark.parametrize("error", [LoginRefused("denied"), RegistryFailed("405"), PushFailed("denied")], ids=type)
def test_a_write_that_a_collection_came_between_is_worth_another_try(error):
    registry = Registry(waits=[0.0, 12.0])
    refused = pytest.raises(RegistryFailed, match="became read-only for a garbage collection, which is over now: ")
    with refused as told, writable.registry_writes(registry, SETTINGS):
        raise error
    assert str(error) in str(told.value)
    assert registry.waits == []


def test_a_write_that_failed_by_itself_stays_what_it_was():
    with pytest.raises(LoginRefused, match=r"^denied$"), writable.registry_writes(Registry(waits=[0.0, 0.0]), SETTINGS):
        raise LoginRefused("denied")


def test_nothing_is_written_where_a_collection_does_not_end():
    with (
        pytest.raises(ActionUnfinished),
        writable.registry_writes(Registry(waits=[ActionUnfinished("still scanning")]), SETTINGS),
    ):
        pytest.fail("it went on")


class Session:
    """A droplet whose pulls end as told; it keeps the passwords it was given."""

    address = SimpleNamespace(name="green")

    def __init__(self, *ends):
        self.ends, self.passwords = list(ends), []

    def run(self, script, *, timeout, stdin, on_line):
        self.passwords.append(stdin.decode())
        assert stdin.decode() not in script
        if code := self.ends.pop(0):
            raise RemoteFailed("no", code, "unauthorized: authentication required")
        return SimpleNamespace(out="")


def test_a_login_that_expired_before_a_pull_is_renewed_once():
    session = Session(LOGIN_FAILED, 0)
    took = pull_references(session, [IMAGE], Registry(logins=[("u1", "old-word"), ("u2", "new-word")]), SETTINGS)
    assert took == {IMAGE: None}  # the droplet said nothing of its time
    assert session.passwords == ["old-word", "new-word"]
    with pytest.raises(LoginRefused):
        pull_references(
            Session(LOGIN_FAILED, LOGIN_FAILED),
            [IMAGE],
            Registry(logins=[("u", "w0rd-a"), ("u", "w0rd-b"), ("u", "w0rd-c")]),
            SETTINGS,
        )


def test_a_registry_with_one_login_is_not_asked_twice():
    session = Session(LOGIN_FAILED)
    with pytest.raises(LoginRefused, match="authentication required"):
        pull_references(session, [IMAGE], Registry(logins=[("me", "s3cret")]), SETTINGS)
    assert len(session.passwords) == 1


def test_a_login_that_expired_during_a_pull_is_another_one_the_next_time():
    registry = Registry(logins=[("u", "w0rd-old"), ("u", "w0rd-new")])
    with pytest.raises(PullFailed):
        pull_references(Session(PULL_FAILED), [IMAGE], registry, SETTINGS)
    assert (registry.renewed, registry.login(write=False)) == (1, ("u", "w0rd-new"))
