"""YAML 1.2, as Compose reads and writes it."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flows.core.stack.compose_yaml import Override, Reset, dump_compose, load_config

pytestmark = pytest.mark.unit

# What PyYAML takes for something else than the string that it is.
STRINGS = ["1234e56", "0o17", "1_000", "yes", "no", "on", "12:30", "=", "2026-11-28", "<<", "~x", "0b1", "+.5_0", "!a"]
PLAIN = [
    ("1234e56", 1234e56), ("0o17", 15), ("0x1F", 31), ("017", 17), ("-3", -3), ("1.5", 1.5), (".inf", float("inf")),
    ("1_000", "1_000"), ("yes", "yes"), ("on", "on"), ("12:30", "12:30"), ("=", "="), ("2026-11-28", "2026-11-28"),
    ("true", True), ("False", False), ("null", None), ("~", None), ("", None), ("0b1", "0b1"),
]  # fmt: skip


@pytest.mark.parametrize("text", STRINGS)
def test_a_string_that_looks_like_something_else_stays_a_string(text):
    assert load_config(dump_compose({"a": text, text: "b"}).decode()) == {"a": text, text: "b"}


@pytest.mark.parametrize(("text", "value"), PLAIN)
def test_plain_scalars_are_read_by_the_core_schema(text, value):
    assert load_config(f"a: {text}\n") == {"a": value}


def test_the_same_document_gives_the_same_bytes():
    assert dump_compose({"b": 1, "a": [True, None]}) == b'{"a": [true, null], "b": 1}\n'
    assert dump_compose({"a": [True, None], "b": 1}) == b'{"a": [true, null], "b": 1}\n'


def test_what_earlier_files_said_can_be_taken_back_or_replaced():
    written = dump_compose({"a": Reset(), "b": Override([{"path": "x"}])})
    assert written == b'{"a": !reset null, "b": !override [{"path": "x"}]}\n'


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(blacklist_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(blacklist_categories=["Cs"])), inner),
    )
)
def test_any_document_is_read_back_as_it_is(value):
    written = dump_compose({"a": value}).decode()
    assert json.loads(written) == {"a": value}
    assert load_config(written) == {"a": value}


def test_it_is_what_a_reader_of_yaml_1_1_would_get_wrong():
    assert yaml.safe_load(yaml.safe_dump({"a": "1234e56"})) != {"a": 1234e56}
    assert yaml.safe_dump({"a": "1234e56"}) == "a: 1234e56\n"  # and Compose reads a number there
