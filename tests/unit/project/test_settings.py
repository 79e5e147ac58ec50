"""Settings: which source wins, and what may not be among them."""

import math

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsError

from flows.core.errors import BadSettings
from flows.core.traffic.colours import Colours
from flows.settings import Settings

pytestmark = pytest.mark.unit


def name_file(monkeypatch, directory, text):
    (directory / "named.toml").write_text(f"{text}\n")
    monkeypatch.setenv("SLIPWAY_SETTINGS", str(directory / "named.toml"))


SOURCES = {
    "environment": lambda monkeypatch, _: monkeypatch.setenv("SLIPWAY_DROPLET", "environment"),
    ".env": lambda _, directory: (directory / ".env").write_text("SLIPWAY_DROPLET=.env\nSLIPWAY_UNKNOWN=1\nOTHER=2\n"),
    "slipway.toml": lambda _, directory: (directory / "slipway.toml").write_text('droplet = "slipway.toml"\n'),
    "SLIPWAY_SETTINGS": lambda monkeypatch, directory: name_file(
        monkeypatch, directory, 'droplet = "SLIPWAY_SETTINGS"'
    ),
}


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (
        "CI",
        "SLIPWAY_SETTINGS",
        "SLIPWAY_STATE",
        *(f"SLIPWAY_{field.upper()}" for field in Settings.model_fields),
    ):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("strongest", SOURCES)
def test_the_stronger_source_wins(directory, monkeypatch, strongest):
    order = list(SOURCES)
    for name in order[order.index(strongest) :]:
        SOURCES[name](monkeypatch, directory)
    assert Settings().droplet == strongest


def test_a_file_that_is_named_and_not_there_is_refused(directory, monkeypatch):
    monkeypatch.setenv("SLIPWAY_SETTINGS", str(directory / "gone.toml"))
    with pytest.raises(SettingsError, match=r"gone\.toml, and there is no such file"):
        Settings()


def test_the_directory_of_a_lab_still_names_its_settings(directory, monkeypatch):
    (directory / "lab").mkdir()
    (directory / "lab/settings.toml").write_text('droplet = "lab"\n')
    monkeypatch.setenv("SLIPWAY_STATE", str(directory / "lab"))
    assert Settings().droplet == "lab"


def test_what_is_given_in_code_wins_over_all(directory, monkeypatch):
    SOURCES["environment"](monkeypatch, directory)
    assert Settings(droplet="given").droplet == "given"


def test_sources_complete_each_other(directory, monkeypatch):
    (directory / "slipway.toml").write_text('strategy = "prefetch"\n')
    name_file(monkeypatch, directory, 'edge_url = "http://127.0.0.1:8080"\nstrategy = "recreate"')
    (directory / ".env").write_text("SLIPWAY_LOG_LINES=5\n")
    settings = Settings()
    assert (settings.strategy, settings.edge_url, settings.log_lines) == ("prefetch", "http://127.0.0.1:8080", 5)


def test_without_any_source_there_are_defaults_that_serve(directory):
    settings = Settings()
    assert (settings.stack, settings.droplet, settings.strategy) == ("compose", "green", "rolling")
    assert settings.cleanup_on_failure is False


def test_after_a_failure_ci_is_tidied(directory, monkeypatch):
    monkeypatch.setenv("CI", "true")
    assert Settings().cleanup_on_failure is True


def test_settings_cannot_be_changed(directory):
    with pytest.raises(ValidationError, match="frozen"):
        Settings().droplet = "other"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STRATEGY", "quick"),
        ("BUILD_TIMEOUT", "0"),
        ("PULL_TIMEOUT", "soon"),
        ("LOG_LINES", "-1"),
        ("GATE_ERROR_RATE", "2"),
        ("GATE_REQUESTS", "0"),
        ("GATE_LATENCY_RATIO", "0.5"),
        ("KEEP_WARM", "-1"),
        ("KEEP_WARM", "inf"),
        ("KEEP_WARM", "sometimes"),
    ],
)
def test_a_bad_value_is_refused_by_name(directory, monkeypatch, name, value):
    monkeypatch.setenv(f"SLIPWAY_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_a_file_that_is_no_toml_is_refused(directory):
    (directory / "slipway.toml").write_text("droplet = green\n")
    with pytest.raises(BadSettings, match=r"slipway.toml: is no TOML: .*line 1"):
        Settings()


TWO = {"green": ("g1", "g2"), "blue": ("b1",)}


def test_the_colours_are_those_that_were_named(directory):
    assert Settings().colours == Colours(("green",), ("blue",))
    assert Settings(**TWO).colours == Colours(("g1", "g2"), ("b1",))


def test_a_list_in_the_environment_is_json(directory, monkeypatch):
    monkeypatch.setenv("SLIPWAY_GREEN", '["g1", "g2"]')
    assert Settings().green == ("g1", "g2")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({}, ("green", "blue")),
        (TWO, ("g1", "g2", "b1")),
        ({**TWO, "home": "data"}, ("g1", "g2", "b1", "data")),
        ({**TWO, "home": "data", "droplets": ("x",)}, ("x",)),
    ],
)
def test_without_a_name_both_colours_and_the_home_are_looked_at(directory, given, shown):
    assert Settings(**given).shown == shown


@pytest.mark.parametrize(
    ("droplet", "home", "role", "name"),
    [
        ("g2", "", "all", "shop"),
        ("data", "", "all", "shop"),
        ("g2", "data", "colour", "shop"),
        ("b1", "data", "colour", "shop"),
        ("other", "data", "all", "shop"),
        ("data", "data", "all", "shop-home"),
        ("b1", "b1", "colour", "shop"),
    ],
)
def test_with_a_home_the_colours_run_the_rest_and_the_home_has_a_name_of_its_own(directory, droplet, home, role, name):
    settings = Settings(**TWO, home=home)
    assert (settings.role(droplet), settings.name_on(droplet, "shop")) == (role, name)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({}, math.inf),
        ({"green": ("one/green",), "blue": ("one/blue",)}, 60.0),
        ({"green": ("one",), "blue": ("one",)}, 60.0),
        ({"green": ("one/green",), "blue": ("two/blue",)}, math.inf),
        ({"green": ("one/green",), "blue": ("one/blue",), "keep_warm": "always"}, math.inf),
        ({"green": ("one/green",), "blue": ("one/blue",), "keep_warm": 90}, 90.0),
        ({"keep_warm": "never"}, 60.0),
        ({"keep_warm": "never", "drain": 0}, 0.0),
        ({"keep_warm": "300"}, 300.0),
        ({"keep_warm": 0}, 60.0),
        ({"keep_warm": 0, "drain": 5}, 5.0),
    ],
)
def test_the_colour_that_traffic_left_sleeps_where_both_share_a_droplet_unless_it_is_said(directory, given, seconds):
    assert Settings(**given).warm_seconds == seconds


@pytest.mark.parametrize("choice", ["never", "inconclusive", "always"])
def test_when_a_person_is_asked_is_one_of_three(directory, choice):
    assert Settings(approval=choice).approval == choice
    with pytest.raises(ValidationError, match="approval"):
        Settings(approval=f"{choice}ish")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described_and_none_is_a_secret(name):
    field = Settings.model_fields[name]
    assert field.description
    assert not field.is_required()
    assert "secret" not in str(field.annotation).lower()
    assert not {"password", "token", "secret", "key", "credential"} & set(name.split("_"))
