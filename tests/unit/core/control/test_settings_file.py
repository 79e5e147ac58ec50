"""A settings file: groups, flat names of earlier versions, destinations, and what is refused with its line."""

import pytest

from flows.core.control.groups import GROUPS, OPERATORS, PLACES
from flows.core.control.settings_file import LARGEST, read_settings_file
from flows.core.errors import BadSettings, OperatorSetting
from flows.settings import Settings

pytestmark = pytest.mark.unit


def read(text: str):
    return read_settings_file(text, "slipway.toml")


def test_every_setting_has_exactly_one_place_in_a_file():
    placed = [flat for keys in GROUPS.values() for flat in keys.values()]
    assert sorted(placed) == sorted(set(Settings.model_fields) - {"destination"})
    assert set(OPERATORS) <= set(PLACES)


def test_what_stands_in_groups_is_known_by_its_flat_name():
    text = '[stack]\npath = "deploy"\n[gates]\nwindow = 3\n[droplets]\ndefault = "a"\n[registry]\nname = "r"\n'
    found = read(f'version = 1\ndestination = "staging"\n{text}[timeouts]\nbuild = 9\n')
    assert found.top == {"stack": "deploy", "gate_window": 3, "droplet": "a", "registry": "r", "build_timeout": 9}
    assert (found.default, found.destinations, found.notice) == ("staging", {}, "")


def test_flat_names_of_earlier_versions_count_and_their_new_places_are_told_in_one_line():
    found = read('stack = "a"\ndroplets = ["x"]\ngate_window = 3\nverification_of = {a = "warn"}\n')
    assert found.top == {"stack": "a", "droplets": ["x"], "gate_window": 3, "verification_of": {"a": "warn"}}
    assert found.notice == (
        "slipway.toml has settings at places of earlier versions, which still count. Now `stack` is `path` of [stack]; "
        "`droplets` is `shown` of [droplets]; `gate_window` is `window` of [gates]; `verification_of` is "
        "`verification_of` of [trust]"
    )


def test_a_destination_says_the_same_in_groups_or_by_flat_names_and_nothing_of_that_is_old():
    found = read(
        '[destinations.production]\ndroplet = "prod"\nprofiles = ["x"]\n'
        "[destinations.production.gates]\nwindow = 60\n[destinations.staging]\n"
    )
    assert found.destinations == {
        "production": {"droplet": "prod", "profiles": ["x"], "gate_window": 60},
        "staging": {},
    }
    assert found.notice == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[gates]\n# x\nwindw = 3", "slipway.toml, line 3: `gates.windw` is no setting. Did you mean `window`?"),
        ("[gate]\nwindow = 3", "slipway.toml, line 1: `gate` is no setting. Did you mean `gates`?"),
        ('drplet = "a"', "slipway.toml, line 1: `drplet` is no setting. Did you mean `droplet`?"),
        ("window = 3", "slipway.toml, line 1: `window` is no setting there: `window` stands in [gates]"),
        ("[gates]\ngate_window = 3", "`gates.gate_window` is no setting there: it is `window` of [gates]"),
        ("[gates]\nbuild = 3", "`gates.build` is no setting there: `build` stands in [timeouts]"),
        (
            "[destinations.a]\n[destinations.a.gates]\nlatncy = 1",
            "line 3: `destinations.a.gates.latncy` is no setting. Did you mean `latency`?",
        ),
        ('[destinations.a]\ndestination = "b"', "line 2: `destinations.a.destination` is no setting"),
        ("qqqqqqqq = 1", "slipway.toml, line 1: `qqqqqqqq` is no setting. The settings: docs/SETTINGS.md"),
        ("gates = 3", "slipway.toml, line 1: `gates` is a group: [gates]"),
        ("destinations = 3", "slipway.toml, line 1: `destinations` is a group of groups: [destinations.NAME]"),
        ("[destinations]\na = 3", "slipway.toml, line 2: `destinations.a` is a group"),
        ("[destinations.A_b]", "`destinations.A_b` is no name of a destination"),
        ("destination = 3", "`destination` is the name of a destination, in quotation marks"),
        ("a = 1\nversion = 2", "line 2: `version` is 2, and this Slipway knows files up to 1. Install a newer Slipway"),
        ("version = true", "`version` is a number from 1 to 1, or is left out"),
        ("gate_window = 1\n[gates]\nwindow = 2", "line 3: `gates.window` is said twice"),
        ("a = 1\ndroplet = green", "slipway.toml: is no TOML: Invalid value (at line 2, column 11)"),
        ("a = " + "[" * 5000, "slipway.toml: is no TOML"),
        ("a = " + "9" * 5000, "slipway.toml: is no TOML"),
        ("#" * (LARGEST + 1), "has more than 100,000 characters"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place_and_what_was_meant(text, words):
    with pytest.raises(BadSettings) as refused:
        read(text)
    assert words in str(refused.value)


def test_a_key_that_would_move_the_cursor_is_shown_harmless():
    with pytest.raises(BadSettings) as refused:
        read('"a\\u001b[2Jb" = 1')
    assert "\x1b" not in str(refused.value)


@pytest.mark.parametrize("flat", OPERATORS)
@pytest.mark.parametrize("destination", ["", "production"])
def test_a_file_that_comes_with_a_stack_may_not_say_what_is_the_operators(flat, destination):
    group, key = PLACES[flat]
    start = f"destinations.{destination}." if destination else ""
    text = f'[{start}{group}]\n{key} = "own"\n'
    with pytest.raises(OperatorSetting) as refused:
        read(text).refuse_operators([])
    told = str(refused.value)
    assert f"slipway.toml, line 2: `{key}` of [{group}] is the operator's to say" in told
    assert f"SLIPWAY_{flat.upper()}" in told
    with pytest.raises(OperatorSetting):
        read(text).refuse_operators([read(text.replace("own", "other"))])
    read(text).refuse_operators([read(""), read(text)])  # the operator says just that, so it changes nothing


def test_names_of_blocks_and_gates_may_come_with_a_stack():
    text = 'droplet = "a"\nregistry = "b"\nenvironment = "c"\napproval = "never"\n[gates]\nwindow = 1\n'
    read(f"{text}[destinations.x]\nswitch = 'y'").refuse_operators([])
    assert not set(read(text).top) & set(OPERATORS)
