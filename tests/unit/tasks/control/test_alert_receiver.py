"""The alert receiver: who may post, what is taken, and what Alertmanager is told to try again."""

import threading
from collections.abc import Iterator

import httpx
import pytest

from flows.core.errors import BadToken
from flows.tasks.control import alert_receiver
from flows.tasks.control.alert_receiver import AlertReceiver, read_token
from tests.unit.core.control.test_alerts import ALERT, body

pytestmark = pytest.mark.unit
TOKEN = "a-token-of-some-length"
LOGIN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list:
    """The events that were handed to Prefect."""
    found: list = []
    monkeypatch.setattr(alert_receiver, "_send", found.extend)
    return found


@pytest.fixture
def there(sent: list) -> Iterator[httpx.Client]:
    """A client of a receiver that serves."""
    with AlertReceiver(0, TOKEN, "compose") as receiver:
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{receiver.server_port}", trust_env=False, timeout=10) as client:
            yield client
        receiver.shutdown()
        thread.join(10)


def test_what_fires_is_handed_on_once_however_often_it_is_said(there: httpx.Client, sent: list):
    answers = [there.post("/alerts", content=body(), headers=LOGIN) for _ in range(3)]
    assert [answer.json()["said"] for answer in answers] == ["1 events", "0 events", "0 events"]
    there.post("/alerts", content=body({**ALERT, "status": "resolved"}), headers=LOGIN)
    assert [event.kind.name for event in sent] == ["slipway.alert.firing", "slipway.alert.resolved"]


REFUSED = {
    "without a token": (401, "/alerts", {}, body()),
    "another token": (401, "/alerts", {"Authorization": "Bearer another"}, body()),
    "another place": (404, "/", LOGIN, body()),
    "too large": (413, "/alerts", LOGIN, b"x" * (1024 * 1024 + 1)),
    "none of Alertmanager's": (400, "/alerts", LOGIN, b"{}"),
    "of no known length": (411, "/alerts", LOGIN, iter([b"x"])),
}


@pytest.mark.parametrize(("status", "place", "headers", "content"), REFUSED.values(), ids=REFUSED)
def test_refused(there: httpx.Client, sent: list, status: int, place: str, headers: dict, content):
    try:
        assert there.post(place, content=content, headers=headers).status_code == status
    except httpx.WriteError:
        assert status in (411, 413)  # it hangs up on what it does not read
    assert sent == []


def test_nothing_else_is_served(there: httpx.Client):
    assert there.get("/alerts", headers=LOGIN).status_code == 501


def test_what_prefect_does_not_take_is_to_be_posted_again(there: httpx.Client, monkeypatch: pytest.MonkeyPatch):
    taken: list = []

    def down(_events):
        raise httpx.ConnectError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(alert_receiver, "_send", down)
        assert there.post("/alerts", content=body(), headers=LOGIN).status_code == 503
    monkeypatch.setattr(alert_receiver, "_send", taken.extend)
    assert there.post("/alerts", content=body(), headers=LOGIN).status_code == 200
    assert len(taken) == 1


def test_a_token_is_its_owners_alone(tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o644)
    with pytest.raises(BadToken, match="chmod 600"):
        read_token(file)
    file.chmod(0o600)
    assert read_token(file) == TOKEN
    file.write_text("short")
    with pytest.raises(BadToken, match="shorter than 16"):
        read_token(file)
    with pytest.raises(BadToken, match="cannot be read"):
        read_token(tmp_path / "none")
