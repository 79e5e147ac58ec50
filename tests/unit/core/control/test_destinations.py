"""Destinations: which one is meant, which of several files holds, and two that would replace each other's release."""

import pytest

from flows.core.control.destinations import choose_destination, layers, merged, operators_part, refuse_shared_droplets
from flows.core.control.settings_file import SettingsFile
from flows.core.errors import DestinationNeeded, SharedDroplet, UnknownDestination

pytestmark = pytest.mark.unit

NONE = SettingsFile("slipway.toml")
ONE = SettingsFile("slipway.toml", destinations={"production": {}})
TWO = SettingsFile("slipway.toml", destinations={"production": {}, "staging": {}})
DEFAULT = SettingsFile("named.toml", default="staging")


@pytest.mark.parametrize(
    ("given", "files", "meant"),
    [
        ("", [], ""),
        ("", [NONE], ""),
        ("", [ONE], "production"),
        ("staging", [TWO], "staging"),
        ("staging", [ONE, TWO], "staging"),
        ("", [TWO, DEFAULT], "staging"),
        ("production", [TWO, DEFAULT], "production"),
        ("", [SettingsFile("a", default="production"), DEFAULT, TWO], "production"),
    ],
)
def test_the_destination_is_the_named_one_else_the_default_else_the_only_one(given, files, meant):
    assert choose_destination(given, files) == meant


@pytest.mark.parametrize(
    ("given", "files", "error", "words"),
    [
        ("", [TWO], DestinationNeeded, "there are several destinations: production, staging. Say which one"),
        ("prodution", [TWO], UnknownDestination, "There is production, staging. Did you mean `production`?"),
        ("x", [TWO], UnknownDestination, "no destination x. There is production, staging. A new one is [destinations"),
        ("x", [NONE], UnknownDestination, "no destination x: no settings file that is read here defines one"),
        ("", [ONE, DEFAULT], UnknownDestination, "no destination staging (`destination` of named.toml)"),
    ],
)
def test_a_destination_that_is_not_known_or_not_said_is_refused_with_the_names(given, files, error, words):
    with pytest.raises(error) as refused:
        choose_destination(given, files)
    assert words in str(refused.value)
    assert refused.value.exit_code == 2


def said_by(*, own=(), beside=None, destination="production"):
    return merged(layers(destination, own, beside))


def test_what_a_destination_does_not_say_is_inherited():
    file = SettingsFile("s", {"retention": 3, "droplet": "all"}, {"production": {"droplet": "prod"}})
    assert said_by(own=[file]) == {"retention": 3, "droplet": "prod"}
    assert said_by(own=[file], destination="") == {"retention": 3, "droplet": "all"}


def test_the_stacks_file_is_stronger_than_the_operators_but_not_than_what_these_say_of_the_destination():
    base = SettingsFile("base", {"a": "base", "b": "base", "c": "base", "d": "base"}, {"production": {"d": "base P"}})
    here = SettingsFile("here", {"a": "here", "b": "here"}, {})
    beside = SettingsFile("beside", {"a": "beside", "d": "beside"}, {"production": {"d": "beside P", "e": "beside P"}})
    assert said_by(own=[here, base], beside=beside) == {
        "a": "beside", "b": "here", "c": "base", "d": "base P", "e": "beside P",
    }  # fmt: skip


def test_the_stacks_file_cannot_say_where_the_stack_is():
    beside = SettingsFile("beside", {"stack": "elsewhere"}, {"production": {"stack": "elsewhere"}})
    assert said_by(own=[SettingsFile("own", {"stack": "here"})], beside=beside) == {"stack": "here"}
    assert said_by(beside=beside) == {}


def test_one_droplet_for_everything_and_a_droplet_for_each_colour_replace_each_other():
    one, each = {"one_droplet": "prod"}, {"green": ["g"], "blue": ["b"], "home": "data"}
    assert merged([one, each]) == one
    assert merged([each, one]) == each


def test_of_an_operators_file_that_a_commit_replaces_the_operators_part_remains():
    file = SettingsFile(
        "s", {"docker": "podman", "stack": "a", "droplet": "x"}, {"p": {"verification": "warn", "droplet": "y"}}, "p"
    )
    left = operators_part(file)
    assert (left.top, left.destinations) == ({"docker": "podman", "stack": "a"}, {"p": {"verification": "warn"}})
    assert left.default == ""


COLOURS = {"switch": "s", "green": ["g"], "blue": ["b"]}


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ({"droplet": "a"}, {"droplet": "b"}, ""),
        ({"droplet": "a"}, {"droplet": "a"}, "a"),
        ({}, {}, "green"),
        ({"droplet": "a"}, {"one_droplet": "a"}, "a"),
        ({"droplet": "a/green"}, {"droplet": "a/blue"}, "a"),
        (COLOURS, {**COLOURS, "green": ["h"]}, "b"),
        (COLOURS, {"switch": "t", "green": ["h"], "blue": ["c"]}, ""),
        ({**COLOURS, "home": "d"}, {"droplet": "e", "home": "d"}, "d"),
        ({**COLOURS, "droplet": "x"}, {"switch": "t", "green": ["h"], "blue": ["c"], "droplet": "x"}, ""),
        ({"droplet": "a", "stack": "shop"}, {"droplet": "a", "stack": "blog"}, ""),
        ({"droplet": 3}, {"green": 3, "blue": 3, "switch": "s"}, ""),
    ],
)
def test_two_destinations_that_go_to_one_droplet_are_refused_by_name(one, other, shared):
    resolved = {"production": one, "staging": other}
    if not shared:
        assert refuse_shared_droplets(resolved) is None
        return
    with pytest.raises(SharedDroplet) as refused:
        refuse_shared_droplets(resolved)
    assert f"destinations production and staging both go to droplet {shared}" in str(refused.value)
