"""Lists of subjects: nothing is cut, no line is wider than the terminal, words of others are no markup."""

import io

import pytest
from rich.cells import cell_len
from rich.text import Text

from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.lists import SummaryList

pytestmark = pytest.mark.unit


def printed(*rows: tuple, width: int = 80, wide: bool = False) -> str:
    listed = SummaryList()
    for row in rows:
        listed.add(*row)
    file = io.StringIO()
    SummaryConsole(file=file, width=width, wide=wide).print(listed)
    return file.getvalue()


def test_what_is_said_stands_beside_its_subject():
    assert printed(("web", "one", "two"), ("a-db", "three")) == "  web   one\n        two\n  a-db  three\n"


def test_a_long_saying_is_folded_below_itself():
    assert printed(("web", "one two three four"), width=27).splitlines() == ["  web  one two three four"]
    lines = printed(("web", "one two three four five six"), width=27).splitlines()
    assert lines == ["  web  one two three four", "       five six"]


def test_a_long_subject_has_a_line_of_its_own():
    long = "a-service-with-a-name-of-many-characters"
    assert printed(("web", "one"), (long, "two")).splitlines() == ["  web  one", f"  {long}", "       two"]


@pytest.mark.parametrize("text", ["x" * 500, "的" * 500, "word " * 100, "[bold]x[/bold]\x1b[31m\r\n\ty"])
@pytest.mark.parametrize("width", [20, 80, 133])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_lost(text, width):
    out = printed((text, text), ("web", Text("styled", "red")), width=width)
    assert max(cell_len(line) for line in out.splitlines()) <= max(width, 32)
    assert "".join(out.split()).count("".join(c for c in text if c.isprintable() and c != " ")) == 2
    assert "\x1b" not in out


def test_wide_is_one_line_each():
    assert len(printed(("web", "x " * 300), wide=True).splitlines()) == 1


def test_a_list_knows_whether_it_says_anything():
    listed = SummaryList()
    assert not listed
    listed.add("web", "x")
    assert listed
