"""Versions of Docker Engine and Compose as numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.droplet.versions import is_older, version

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("v2.26.1-4", (2, 26, 1)),
        ("2.26.1", (2, 26, 1)),
        ("26.1.5+dfsg1", (26, 1, 5)),
        ("24", (24, 0, 0)),
        ("2.20", (2, 20, 0)),
        ("2.20.0-desktop.1", (2, 20, 0)),
        ("dev", (0, 0, 0)),
        ("", (0, 0, 0)),
    ],
)
def test_a_version_is_read_by_its_first_three_numbers(text, numbers):
    assert version(text) == numbers


@given(st.text(max_size=12) | st.text(alphabet="v2.²-+٣", max_size=6))
def test_any_text_is_a_version(text):
    assert len(version(text)) == 3


@pytest.mark.parametrize(
    ("text", "needed", "older"),
    [
        *(("2.26.1", "2.30.0", True), ("2.30.0", "2.30.0", False), ("2.20.1", "2.20.2", True)),
        ("5.0.0", "2.39.4", False),
        *(("v2.9.0", "2.20.0", True), ("dev", "2.30.0", False), ("", "2.30.0", False)),
    ],
)
def test_versions_are_compared_by_their_numbers(text, needed, older):
    assert is_older(text, needed) is older
