"""The console of summaries: how wide it is, and that sentences stay whole."""

import io

import pytest

from flows.cli.terminal.console import PIPED_COLUMNS, SummaryConsole

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def test_a_pipe_has_80_columns_whatever_the_terminal_behind_it(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert SummaryConsole(file=io.StringIO()).width == PIPED_COLUMNS == 80


def test_a_terminal_has_its_own(monkeypatch):
    monkeypatch.setenv("COLUMNS", "133")
    assert SummaryConsole(file=io.StringIO(), force_terminal=True).width == 133


@pytest.mark.parametrize("is_terminal", [True, False])
def test_wide_is_wider_than_any_value(is_terminal):
    assert SummaryConsole(file=io.StringIO(), wide=True, force_terminal=is_terminal).width > 100_000


def test_a_sentence_is_one_line_however_long():
    file = io.StringIO()
    SummaryConsole(file=file).say("[bold]word[/bold] " * 100)
    assert file.getvalue().split("\n") == ["word " * 100, ""]


def test_a_quiet_console_says_nothing():
    file = io.StringIO()
    SummaryConsole(file=file, quiet=True).say("nothing")
    assert file.getvalue() == ""
