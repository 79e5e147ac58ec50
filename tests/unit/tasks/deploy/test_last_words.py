"""What a service said last stands in an error: without secrets, and no longer than a person reads."""

import logging
from types import SimpleNamespace

import pytest

from flows.settings import Settings
from flows.tasks.debug import last_lines
from flows.tasks.deploy.readiness import last_words
from flows.tasks.runs import log_masking

pytestmark = pytest.mark.unit

SECRET = "sentinel-of-a-secret"
HUGE = f"first\n\x1b[31mlevel=error\x1b[0m {'x' * 5_000_000} {SECRET}\nthe password is {SECRET}\n"


@pytest.fixture(autouse=True)
def masked(monkeypatch):
    monkeypatch.setattr(log_masking, "_mask", log_masking.Mask([SECRET]))


def deployment(out: str, lines: int = 2):
    """A deployment whose droplet says this of every service."""
    session = SimpleNamespace(run=lambda _argv, **_options: SimpleNamespace(out=out))
    return SimpleNamespace(settings=Settings(log_lines=lines), compose=lambda *words: list(words), session=session)


def test_a_line_of_megabytes_is_cut_and_no_half_of_a_secret_is_left():
    said = last_words(deployment(HUGE), ("web",))
    head, huge, last = said.strip().splitlines()
    assert (head, last) == ("last words of web:", "the password is ••••")
    assert huge.startswith("level=error xxx")
    assert len(said) < 1000


def test_a_secret_across_the_cut_is_masked_before_it():
    assert "sentinel" not in last_words(deployment("y" * 390 + SECRET), ("web",))


def test_a_service_that_said_nothing_says_so_and_none_is_asked_without_lines():
    assert last_words(deployment(""), ("web",)) == "\nlast words of web:\n(none)"
    assert last_words(deployment("x", lines=0), ("web",)) == ""


def test_lines_in_the_log_are_cut_too(monkeypatch, caplog):
    monkeypatch.setattr(last_lines, "get_run_logger", lambda: logging.getLogger("test"))

    class Session:
        def run(self, _command, *, on_line, **_options):
            for line in HUGE.splitlines():
                on_line(line)

    directory = SimpleNamespace(current="/opt/slipway/shop/current")
    last_lines.show_last_lines.fn(Session(), directory, ["web"], 2)
    assert [record.getMessage()[:12] for record in caplog.records] == [
        *("last lines o", "first", "level=error ", "the password")
    ]
    assert max(len(record.getMessage()) for record in caplog.records) < 500
    assert SECRET not in caplog.text
