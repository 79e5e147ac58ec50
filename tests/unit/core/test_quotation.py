"""Words of others are cut to what a person reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.quotation import LINES, WIDTH, quoted_end, quoted_line

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
