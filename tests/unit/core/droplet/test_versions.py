"""Versions of Docker Engine and Compose as numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.droplet.versions import version

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("v2.26.1-4", (2, 26)),
        ("2.26.1", (2, 26)),
        ("26.1.5+dfsg1", (26, 1)),
        ("24", (24, 0)),
        ("2.20.0-desktop.1", (2, 20)),
        ("dev", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_a_version_is_read_by_its_first_two_numbers(text, numbers):
    assert version(text) == numbers


@given(st.text(max_size=12) | st.text(alphabet="v2.²-+٣", max_size=6))
def test_any_text_is_a_version(text):
    assert len(version(text)) == 2
