"""Settings: which source wins, and what may not be among them."""

import tomllib

import pytest
from pydantic import ValidationError

from flows.settings import Settings

pytestmark = pytest.mark.unit

SOURCES = {
    "environment": lambda monkeypatch, _: monkeypatch.setenv("SLIPWAY_DROPLET", "environment"),
    ".env": lambda _, directory: (directory / ".env").write_text("SLIPWAY_DROPLET=.env\nSLIPWAY_UNKNOWN=1\nOTHER=2\n"),
    "slipway.toml": lambda _, directory: (directory / "slipway.toml").write_text('droplet = "slipway.toml"\n'),
    "lab": lambda _, directory: (directory / ".slipway/settings.toml").write_text('droplet = "lab"\n'),
}


@pytest.fixture
def directory(tmp_path, monkeypatch):
    (tmp_path / ".slipway").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("CI", "SLIPWAY_STATE", *(f"SLIPWAY_{field.upper()}" for field in Settings.model_fields)):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("strongest", SOURCES)
def test_the_stronger_source_wins(directory, monkeypatch, strongest):
    order = list(SOURCES)
    for name in order[order.index(strongest) :]:
        SOURCES[name](monkeypatch, directory)
    assert Settings().droplet == strongest


def test_what_is_given_in_code_wins_over_all(directory, monkeypatch):
    SOURCES["environment"](monkeypatch, directory)
    assert Settings(droplet="given").droplet == "given"


def test_sources_complete_each_other(directory):
    (directory / "slipway.toml").write_text('strategy = "prefetch"\n')
    (directory / ".slipway/settings.toml").write_text('edge_url = "http://127.0.0.1:8080"\nstrategy = "recreate"\n')
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
    [("STRATEGY", "quick"), ("BUILD_TIMEOUT", "0"), ("PULL_TIMEOUT", "soon"), ("LOG_LINES", "-1")],
)
def test_a_bad_value_is_refused_by_name(directory, monkeypatch, name, value):
    monkeypatch.setenv(f"SLIPWAY_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_a_file_that_is_no_toml_is_refused(directory):
    (directory / "slipway.toml").write_text("droplet = green\n")
    with pytest.raises(tomllib.TOMLDecodeError):
        Settings()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described_and_none_is_a_secret(name):
    field = Settings.model_fields[name]
    assert field.description
    assert not field.is_required()
    assert "secret" not in str(field.annotation).lower()
    assert not {"password", "token", "secret", "key", "credential"} & set(name.split("_"))
