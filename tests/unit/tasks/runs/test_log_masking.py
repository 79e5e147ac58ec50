"""What is kept secret is in no log of the process, whatever handler writes it."""

import asyncio
import io
import logging
import traceback
from collections.abc import Iterator

import pytest
from prefect.states import exception_to_failed_state

from blocks.errors import OutsideError, RemoteFailed, Unreachable
from flows.core.errors import BuildFailed, SlipwayError
from flows.core.quotation import Markup
from flows.tasks.runs import blocks as _  # noqa: F401 — who loads a block has its errors masked
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


@pytest.mark.parametrize(
    "error",
    [
        BuildFailed(f"the build said {SECRET}"),
        Unreachable(f"no {SECRET}"),
        RemoteFailed(f"exit 1: {SECRET}", 1, SECRET),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_error_of_ours_tells_a_secret_wherever_it_is_shown(error: SlipwayError | OutsideError):
    register_secrets([SECRET])
    error.add_story(f"and then {SECRET}\x1b[2J")
    state = asyncio.run(exception_to_failed_state(error))
    told = [str(error), f"{error}", state.message or "", "".join(traceback.format_exception(error))]
    assert all("••••" in text and SECRET not in text and "\x1b" not in text for text in told)


def test_a_secret_that_control_characters_tear_is_masked_all_the_same():
    register_secrets([SECRET])
    torn = f"{SECRET[:4]}\x1b[0m{SECRET[4:]}"
    assert mask(f"it is {torn}.") == "it is ••••."


def test_no_log_record_holds_what_a_terminal_obeys(said: io.StringIO):
    LOG.warning("title \x1b]0;x\x07 and %s", "\u202ename")
    assert said.getvalue() == "title  and �name\n"


def test_what_is_marked_as_our_own_markdown_stays_so():
    assert isinstance(mask(Markup("`a`")), Markup)
    assert not isinstance(mask("`a`"), Markup)


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    """The error with a trace, as somebody caught it."""
    try:
        raise error from cause
    except Exception as caught:
        return caught


@pytest.mark.parametrize("error", [BuildFailed("it did not\nbuild"), Unreachable("it did not\nbuild")])
def test_an_error_that_has_a_name_is_logged_as_its_sentence_without_a_trace(error: Exception, said: io.StringIO):
    left, name = raised(error, ValueError("below")), type(error).__name__
    LOG.error("Encountered exception during execution: %r", left, exc_info=left)
    LOG.error(f"Task run failed with exception: {left!r}", exc_info=left)
    LOG.error("An error was encountered while running hook %r", "tidy", exc_info=left)
    assert said.getvalue().splitlines() == [
        f"Encountered exception during execution: {name}: it did not", "build",
        f"Task run failed with exception: {name}: it did not", "build",
        f"An error was encountered while running hook 'tidy': {name}: it did not", "build",
    ]  # fmt: skip


def test_what_a_named_error_says_is_masked_when_its_trace_is_left_out(said: io.StringIO):
    register_secrets([SECRET])
    LOG.error("it failed: %r", left := raised(BuildFailed(f"no {SECRET}")), exc_info=left)
    assert said.getvalue() == "it failed: BuildFailed: no ••••\n"


def test_an_error_without_a_name_of_ours_keeps_its_trace(said: io.StringIO):
    LOG.error("it failed", exc_info=raised(ValueError("who knows")))
    assert "Traceback" in said.getvalue()
