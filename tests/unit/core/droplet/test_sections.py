"""A script's output in named sections."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.droplet.sections import sections

pytestmark = pytest.mark.unit

contents = st.text(st.characters(exclude_categories=["Cs"])).filter(lambda text: "@@slipway:" not in text)


@given(st.dictionaries(st.from_regex(r"[a-z]+", fullmatch=True), contents, max_size=4))
def test_sections_keep_what_was_printed(parts):
    output = "".join(f"@@slipway:{name}\n{text}\n" for name, text in parts.items())
    assert sections(output) == {name: text.strip() for name, text in parts.items()}
