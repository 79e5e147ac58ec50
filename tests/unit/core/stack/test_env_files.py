"""Env files: what is written is read back, and what people write is read as Compose reads it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows.core.stack.env_files import parse, render

pytestmark = pytest.mark.unit

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True)
# No engine hands a null byte to a process.
values = st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
awkward = st.text(alphabet="'\"\\$\n\r\t #={}a`!")


@given(st.dictionaries(names, values | awkward, max_size=5))
@example({"A": "\\\\", "B": "a\\", "C": "'$X\\", "D": "'\\n", "E": "'\\$", "F": "\r\n", "G": "\u2028'\x85"})
def test_every_value_is_read_back_as_it_was(variables):
    assert parse(render(variables).decode()) == variables


def test_the_order_does_not_matter():
    assert render({"B": "2", "A": "1"}) == render({"A": "1", "B": "2"}) == b"A='1'\nB='2'\n"


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("", "A=''"),
        ("plain", "A='plain'"),
        ('$HOME "x" # no comment', "A='$HOME \"x\" # no comment'"),
        ("it's $HOME", 'A="it\'s \\$HOME"'),
        ("two\nlines", 'A="two\\nlines"'),
        ("two\r\nlines", 'A="two\\r\\nlines"'),
        ("a lone\rreturn", 'A="a lone\\rreturn"'),
        ("ends in \\", 'A="ends in \\\\"'),
    ],
)
def test_a_value_is_quoted_so_that_compose_takes_it_literally(value, line):
    assert render({"A": value}).decode() == f"{line}\n"


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("A=1\n# a comment\n\nexport B = two words \n", {"A": "1", "B": "two words"}),
        ("A=1 # a comment", {"A": "1"}),
        ("A=a#b", {"A": "a#b"}),
        ("A", {}),
        ("A=", {"A": ""}),
        ("A=${B}", {"A": "${B}"}),
        ("A='a\\\\b'", {"A": "a\\\\b"}),
        ("A='$x'", {"A": "$x"}),
        ('A="a\\$b"', {"A": "a$b"}),
        ('A="a\\nb"', {"A": "a\nb"}),
        ('A="a\nb"', {"A": "a\nb"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("A=1\nA=2", {"A": "2"}),
        ("A='it\\'s' # c\nB=x", {"A": "it's", "B": "x"}),
        ("A='never closed\nB=x", {"A": "'never closed", "B": "x"}),
        ("A= # no comment to Compose", {"A": "# no comment to Compose"}),
        ("\ufeffA=1", {"A": "1"}),
        ("", {}),
    ],
)
def test_an_env_file_is_read_as_people_write_it(text, variables):
    assert parse(text) == variables
