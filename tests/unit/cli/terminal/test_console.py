"""The console of summaries: how wide it is, and that sentences stay whole."""

import io

import pytest
from rich.markdown import Markdown
from rich.text import Text

from flows.cli.terminal.console import PIPED_COLUMNS, SummaryConsole, show_error, tell
from flows.cli.terminal.tables import SummaryTable

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


CLIPBOARD, TITLE = "\x1b]52;c;eA==\x07", "\x1b]0;owned\x07"


def test_no_sequence_of_others_reaches_the_terminal_however_it_is_printed(capsys):
    file = io.StringIO()
    console = SummaryConsole(file=file)
    table = SummaryTable("service", "found", free_text=["found"])
    table.add_row("web", f"{CLIPBOARD}\u202etext", below=TITLE)
    console.print(table)
    console.say(f"[bold]{TITLE}[/bold] {CLIPBOARD}\x9b")
    console.print(Text(f"{TITLE}\x1b[2J"))
    console.print(Markdown(f"`{CLIPBOARD}`"))
    show_error(console, ValueError(f"bad {CLIPBOARD}\u202e"))
    tell(f"{TITLE}saved")
    shown = file.getvalue() + capsys.readouterr().out
    assert not set(shown) & set("\x1b\x07\x9b\u202e")
    assert "saved" in shown


def test_words_that_look_like_broken_markup_are_shown_as_they_stand():
    file = io.StringIO()
    SummaryConsole(file=file).say("found [/bold] in it")
    assert file.getvalue() == "found [/bold] in it\n"
