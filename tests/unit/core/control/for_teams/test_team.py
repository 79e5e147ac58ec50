"""The settings of a control plane for a team: what is made up, and what is refused before anything is written."""

import pytest

from flows.core.control.team import TeamPlane, team_environment
from flows.core.errors import BadSettings

pytestmark = pytest.mark.unit


def test_its_settings_hold_four_credentials_that_differ():
    given = iter([b"a" * 24, b"b" * 24, b"c" * 24, b"d" * 32])
    text = team_environment(TeamPlane("plane.example.com", "/srv/my shop"), lambda size: next(given)[:size])
    settings = dict(line.split("=", 1) for line in text.splitlines() if not line.startswith("#"))
    assert settings["SLIPWAY_REPOSITORY"] == "'/srv/my shop'"
    assert settings["SLIPWAY_LOGIN"].startswith("slipway:YWFh")
    made = [settings[f"SLIPWAY_{name}"] for name in ("LOGIN", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "ENCRYPTION_KEY")]
    assert len(set(made)) == 4
    assert min(map(len, made)) >= 32


def test_its_address_names_the_port_where_it_is_another_one():
    assert TeamPlane("plane.example.com", "/srv").api == "https://plane.example.com/api"
    assert TeamPlane("plane.example.com", "/srv", 8443).api == "https://plane.example.com:8443/api"


@pytest.mark.parametrize("wrong", [
    {"host": "203.0.113.7"}, {"host": "a b"}, {"host": "a\nSLIPWAY_LOGIN=x:y"}, {"host": "-a"}, {"host": "a" * 64},
    {"tls": "internal; respond 200"}, {"tls": "me@example.com }"}, {"address": "everywhere"}, {"port": 80},
    {"image": "a b"}, {"image": "$(id)"}, {"repository": "shop"}, {"repository": "/srv/o'hara"},
    {"repository": "/srv\nA=b"},
])  # fmt: skip
def test_what_would_mean_something_else_in_its_files_is_refused(wrong):
    with pytest.raises(BadSettings, match="Nothing was written"):
        TeamPlane(**{"host": "plane.example.com", "repository": "/srv", **wrong})
