"""Words of others are cut to what a person reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.quotation import LINES, WIDTH, quoted_end, quoted_line, without_controls

pytestmark = pytest.mark.unit
LARGE = "x" * 5_000_000


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        (" two \n lines ", "two lines"),
        ("x" * WIDTH, "x" * WIDTH),
        ("x" * (WIDTH + 1), "x" * (WIDTH - 1) + "…"),
        (LARGE, "x" * (WIDTH - 1) + "…"),
        (" " * 9000 + "x", "…"),
    ],
)
def test_a_line_is_cut_at_its_width(text, line):
    assert quoted_line(text) == line


def test_the_last_lines_that_say_anything_are_shown_each_cut():
    assert quoted_end("a\n\n b \n  \n") == "a\n b"
    assert quoted_end(f"first\n{LARGE}\nlast", 2) == f"{'x' * (WIDTH - 1)}…\nlast"
    assert quoted_end("\n".join(map(str, range(100)))) == "\n".join(map(str, range(100 - LINES, 100)))
    assert quoted_end("") == ""


@given(st.text(), st.integers(1, 5), st.integers(2, 9))
def test_nothing_is_longer_than_it_may_be(text, lines, width):
    assert len(quoted_line(text, width)) <= width
    shown = quoted_end(text, lines, width).split("\n")
    assert len(shown) <= lines
    assert all(len(line) <= width for line in shown)


HOSTILE = [
    ("\x1b]52;c;cm0gLXJmIC8=\x07clipboard", "clipboard"),
    ("\x1b]0;title\x1b\\x", "x"),
    ("\x1b[?1049hother screen\x1b[2J", "other screen"),
    ("\x1b[31mred\x1b[0m", "red"),
    ("\x9b31mC1", "�31mC1"),
    ("user\u202egnp.exe", "user�gnp.exe"),
    ("50%\r100%", "50% 100%"),
    ("line\r\nline\r", "line\nline"),
    ("\x1b]8;;http://x", "�]8;;http://x"),
    ("\ud800half", "�half"),
    ("tab\tand ümlaut → 🟢", "tab\tand ümlaut → 🟢"),
]


@pytest.mark.parametrize(("text", "plain"), HOSTILE)
def test_nothing_is_left_that_a_terminal_would_obey(text, plain):
    assert without_controls(text) == plain


@given(st.text())
def test_what_is_without_controls_can_be_printed_and_stays_so(text):
    plain = without_controls(text)
    assert without_controls(plain) == plain
    assert not set(plain) & {chr(code) for code in (*range(9), *range(11, 32), *range(127, 160), 0x202E, 0x2066)}
    plain.encode()
