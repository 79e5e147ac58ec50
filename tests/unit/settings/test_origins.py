"""settings: each setting in effect, who said it, and what stands at an old place; no password is shown."""

import json

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from flows.core.control.groups import PLACES

pytestmark = pytest.mark.unit

FILE = """
destination = "staging"
strategy = "recreate"
[stack]
path = "shop"
[traffic]
active_url = "https://me:sentinel-password@edge.example.com/?token=sentinel-token"
[gates]
window = 5
[destinations.staging.gates]
window = 7
[destinations.production.droplets]
one_droplet = "prod"
"""


@pytest.fixture
def said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in PLACES:
        monkeypatch.delenv(f"SLIPWAY_{name.upper()}", raising=False)
    monkeypatch.delenv("SLIPWAY_SETTINGS", raising=False)
    monkeypatch.delenv("SLIPWAY_STATE", raising=False)
    (tmp_path / "slipway.toml").write_text(FILE)
    (tmp_path / ".env").write_text("SLIPWAY_RETENTION=9\n")
    monkeypatch.setenv("SLIPWAY_DRAIN", "3")

    def ask(*words: str):
        answer = CliRunner().invoke(app, ["settings", *words])
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    return ask


def test_every_setting_is_told_with_who_said_it(said):
    found = {one["name"]: one for one in json.loads(said("--json"))}
    assert set(found) == {"destination", *PLACES}
    assert {name: (found[name]["value"], found[name]["from"]) for name in ("stack", "drain", "retention", "home")} == {
        "stack": ("shop", "slipway.toml"),
        "drain": (3.0, "the environment: SLIPWAY_DRAIN"),
        "retention": (9, ".env: SLIPWAY_RETENTION"),
        "home": ("", "default"),
    }
    assert (found["gate_window"]["value"], found["gate_window"]["from"]) == (
        7.0, "slipway.toml [destinations.staging]"
    )  # fmt: skip
    assert [one["name"] for one in found.values() if one["old"]] == ["strategy"]
    assert found["strategy"]["old"] == "slipway.toml: `strategy` of [stack] now"


def test_another_destination_has_its_own_and_what_follows_from_one_droplet(said):
    found = {one["name"]: one for one in json.loads(said("--json", "--destination", "production"))}
    assert found["gate_window"]["value"] == 5.0
    assert (found["blue"]["value"], found["blue"]["from"]) == (["prod/blue"], "slipway.toml [destinations.production]")


def test_no_password_is_shown_and_defaults_only_where_they_are_asked_for(said):
    for words in (["--wide"], ["--json"], ["--said"]):
        assert "sentinel" not in said(*words)
    short = said("--said")
    assert "gates.window" in short
    assert "timeouts.build" not in short
    assert "timeouts.build" in said()
