"""A login goes by http to this machine alone, whatever an address looks like."""

import pytest

from blocks import DigitalOceanAccount, Langfuse, Prometheus
from blocks.errors import NotEncrypted
from blocks.http.clear_text import is_loopback

pytestmark = pytest.mark.unit
HERE = [
    "localhost",
    "LOCALHOST:5000",
    "127.0.0.1",
    "127.0.0.1:5000",
    "127.8.9.1",
    "[::1]",
    "[::1]:5000",
    "me@127.0.0.1",
]
ELSEWHERE = [
    "127.evil.example", "127.0.0.1.evil.example:5000", "localhost.evil.example", "localhostess", "evil.example:127",
    "127.0.0.1@evil.example", "10.0.0.4", "[::2]:5000", "0.0.0.0", "169.254.169.254", "", "[", "x.example#127.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("host", HERE)
def test_this_machine_is_known(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_what_only_looks_like_this_machine_is_another(host):
    assert not is_loopback(host)


SENT = {
    "Langfuse": lambda url: Langfuse(url=url, public_key="pk", secret_key="sk").reach(),
    "Prometheus": lambda url: Prometheus(url=url, username="me", password="word").query("up"),
    "DigitalOcean": lambda url: DigitalOceanAccount(token="dop", api=url).reach(),
}


@pytest.mark.parametrize(
    "host", ["langfuse.example.com", "10.0.0.4:9090", "127.0.0.1.example.com", "127.0.0.1@example.com"]
)
@pytest.mark.parametrize("send", SENT.values(), ids=SENT)
def test_a_login_is_not_sent_to_another_machine_by_http(send, host, monkeypatch):
    for module in ("langfuse", "prometheus_api"):
        monkeypatch.setattr(f"blocks.{module}.request_within", lambda *_, **__: pytest.fail("it was sent"))
    with pytest.raises(NotEncrypted, match=r"its login could be read on its way\. Nothing was sent"):
        send(f"http://{host}")


def test_a_server_without_a_login_may_be_asked_by_http(monkeypatch):
    asked = []
    sent = lambda _method, url, *_, **__: asked.append(url) or 1 / 0  # noqa: E731
    monkeypatch.setattr("blocks.prometheus_api.request_within", sent)
    with pytest.raises(ZeroDivisionError):
        Prometheus(url="http://10.0.0.4:9090").query("up")
    assert asked == ["http://10.0.0.4:9090/api/v1/query"]
