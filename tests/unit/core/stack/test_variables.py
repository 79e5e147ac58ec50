"""The variables of a stack, and those that steer Compose."""

import pytest

from flows.core.stack.variables import (
    Placeholders,
    active_profiles,
    expressions_in,
    named_files,
    steers_compose,
    without_steering,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "name", ["COMPOSE_IGNORE_ORPHANS", "COMPOSE_REMOVE_ORPHANS", "COMPOSE_PARALLEL_LIMIT", "COMPOSE_ENV_FILES"]
)
def test_compose_is_not_given_what_would_change_our_commands(name):
    assert steers_compose(name)
    assert without_steering({name: "true", "A": "1"}) == {"A": "1"}


@pytest.mark.parametrize("name", ["COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES", "COMPOSE_FILE", "COMPOSER", "A"])
def test_what_is_followed_stays_for_the_stack_to_use(name):
    assert without_steering({name: "x"}) == {name: "x"}


def test_profiles_come_from_settings_and_variables():
    assert active_profiles(("a",), {"COMPOSE_PROFILES": "b, a,,c"}) == ("a", "b", "c")
    assert active_profiles((), {"COMPOSE_PROFILES": ""}) == ()


def test_files_come_from_compose_file():
    assert named_files("/p", {"COMPOSE_FILE": "a.yml:../b.yml:/c.yml"}) == ("/p/a.yml", "/b.yml", "/c.yml")
    assert named_files("/p", {"COMPOSE_FILE": "a.yml;b.yml", "COMPOSE_PATH_SEPARATOR": ";"}) == ("/p/a.yml", "/p/b.yml")
    assert named_files("/p", {}) == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("${A}", ["${A}"]),
        ("x${A:-${B:-c}}/${D}y", ["${A:-${B:-c}}", "${D}"]),
        ("$${A} $A", []),
        ("$$${A}", ["${A}"]),
        ("{${A}}", ["${A}"]),
        ("${A", []),
        ("} ${A}", ["${A}"]),
    ],
)
def test_expressions_are_found_with_the_braces_that_are_theirs(text, found):
    assert expressions_in(text) == found


def test_placeholders_have_no_colon_and_are_taken_back():
    placeholders = Placeholders({"${KNOWN:-k}": "known"})
    put = placeholders.put("${A:-./a}:/x:ro ${KNOWN:-k} ${A:-./a} ${B:?no} $${C}")
    assert put == "${SLIPWAY_WRITTEN_0}:/x:ro known ${SLIPWAY_WRITTEN_0} ${SLIPWAY_WRITTEN_1} $${C}"
    tree = {"a": [{"source": "${SLIPWAY_WRITTEN_0}", "n": 1}], "${SLIPWAY_WRITTEN_1}": None}
    assert placeholders.back(tree) == {"a": [{"source": "${A:-./a}", "n": 1}], "${B:?no}": None}
    assert placeholders.back("${SLIPWAY_WRITTEN_7}") == "${SLIPWAY_WRITTEN_7}"
