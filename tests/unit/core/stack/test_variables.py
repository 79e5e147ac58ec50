"""The variables of a stack, and those that steer Compose."""

import pytest

from flows.core.stack.variables import active_profiles, named_files, steers_compose, without_steering

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
