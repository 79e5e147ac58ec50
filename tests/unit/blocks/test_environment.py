"""The stack's environment: unmasked only when it is asked for."""

import pytest

from blocks import StackEnvironment

pytestmark = pytest.mark.unit

FULL = StackEnvironment(
    variables={"PORT": 8000, "TOKEN": "sentinel"}, files={"./secrets/../app.env": "sentinel", "key": "k"}
)


def test_variables_are_text():
    assert FULL.values() == {"PORT": "8000", "TOKEN": "sentinel"}


def test_paths_are_normal():
    assert FULL.contents() == {"app.env": b"sentinel", "key": b"k"}


def test_names_are_shown_and_values_are_not():
    assert FULL.reach() == "environment : PORT, TOKEN, app.env, key"
    assert "sentinel" not in f"{FULL!r} {FULL} {FULL.model_dump_json()} {FULL.reach()}"


def test_an_environment_may_be_empty():
    assert (StackEnvironment().values(), StackEnvironment().contents()) == ({}, {})
    assert StackEnvironment().reach() == "environment : empty"
