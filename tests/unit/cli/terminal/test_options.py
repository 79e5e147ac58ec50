"""Options that commands share."""

import pytest

from flows.cli.terminal.options import split_names

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "names"), [("a,b", ["a", "b"]), (" a , ,b ", ["a", "b"]), ("a", ["a"]), ("", None), (None, None)]
)
def test_names_are_split_at_commas(text, names):
    assert split_names(text) == names
