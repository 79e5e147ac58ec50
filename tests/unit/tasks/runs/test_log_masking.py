"""What is kept secret is in no log of the process, whatever handler writes it."""

import io
import logging
from collections.abc import Iterator

import pytest

from flows.tasks.runs import log_masking as secrecy
from flows.tasks.runs.log_masking import known_secrets, mask, register_secrets

pytestmark = pytest.mark.unit
SECRET = "hunter2-4711"
LOG = logging.getLogger("slipway.secrecy")


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing that a test keeps secret lasts longer than the test."""
    factory = logging.getLogRecordFactory()
    monkeypatch.setattr(secrecy, "_mask", type(secrecy._mask)())
    yield
    logging.setLogRecordFactory(factory)


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What a handler writes that was there before anything was secret."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    LOG.addHandler(handler)
    LOG.disabled = False  # whoever configures logging may have switched it off
    yield text
    LOG.removeHandler(handler)


def test_a_secret_is_masked_in_message_arguments_and_exceptions(said: io.StringIO):
    register_secrets([SECRET])
    LOG.warning("the key is %s", SECRET)
    LOG.warning(f"the key is {SECRET}")
    LOG.warning({"key": SECRET})
    try:
        raise ValueError(f"bad {SECRET}")
    except ValueError:
        LOG.exception("it failed")
    assert SECRET not in said.getvalue()
    assert "the key is ••••" in said.getvalue()
    assert "ValueError: bad ••••" in said.getvalue()
    assert "Masked" not in said.getvalue()


def test_what_holds_no_secret_is_left_as_it_is(said: io.StringIO, caplog: pytest.LogCaptureFixture):
    register_secrets([SECRET])
    LOG.warning("%s of %d", "one", 2)
    error = ValueError("plain")
    LOG.error("it failed", exc_info=error)
    assert caplog.records[0].args == ("one", 2)
    assert caplog.records[1].exc_info[1] is error


def test_a_record_whose_arguments_do_not_fit_harms_nobody(monkeypatch: pytest.MonkeyPatch, said: io.StringIO):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    register_secrets([SECRET])
    LOG.warning("%d", "one")


def test_keeping_again_adds_and_installs_once():
    register_secrets([SECRET])
    first = logging.getLogRecordFactory()
    register_secrets(["another-4711", "postgres"], public=["postgres"])
    assert logging.getLogRecordFactory() is first
    assert known_secrets() == {SECRET, "another-4711", "postgres"}
    assert mask(f"{SECRET} another-4711 postgres") == "•••• •••• postgres"


def test_nothing_is_built_anew_for_what_is_known():
    register_secrets([SECRET, "another-4711"])
    before = secrecy._mask
    register_secrets([SECRET])
    assert secrecy._mask is before
