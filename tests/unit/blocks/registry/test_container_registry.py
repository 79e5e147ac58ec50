"""The registry block: its layout, and a login for the docker client that is private and gone afterwards."""

import base64
import json
import os
import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from blocks import ContainerRegistry
from blocks.errors import LoginRefused
from tests.support.registry_server import serving

pytestmark = pytest.mark.unit

HOST = "registry.example.com:5000"


def registry(**more) -> ContainerRegistry:
    return ContainerRegistry(**{"registry_url": HOST, "username": "me", "password": "pass:word", **more})


def login_of(user: str) -> dict:
    return {"auth": base64.b64encode(user.encode()).decode()}


@pytest.fixture
def own(tmp_path, monkeypatch) -> Path:
    """The user's own Docker configuration, and temporary files beside it."""
    (tmp_path / "own/cli-plugins").mkdir(parents=True)
    (tmp_path / "own/contexts").mkdir()
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "own"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    return tmp_path / "own"


def config_of(env: dict) -> dict:
    return json.loads((Path(env["DOCKER_CONFIG"]) / "config.json").read_text())


def test_a_login_is_private_and_gone_afterwards(own):
    with registry().docker_config() as env:
        directory = Path(env["DOCKER_CONFIG"])
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert stat.S_IMODE((directory / "config.json").stat().st_mode) == 0o600
        assert config_of(env) == {"credHelpers": {}, "auths": {HOST: login_of("me:pass:word")}}
    assert os.listdir(own.parent / "scratch") == []


def test_a_login_is_gone_also_after_an_error(own):
    with pytest.raises(RuntimeError), registry().docker_config():
        raise RuntimeError
    assert os.listdir(own.parent / "scratch") == []


READER = {"pull_username": "reader", "pull_password": "only"}


def test_what_only_reads_has_the_login_that_only_reads_where_there_is_one():
    assert registry(**READER).login(write=False) == ("reader", "only")
    assert registry(**READER).login(write=True) == ("me", "pass:word")
    assert registry().login(write=False) == ("me", "pass:word")


def test_what_pushes_is_never_given_the_login_that_only_reads(own):
    with registry(**READER).docker_config() as env:
        assert config_of(env)["auths"] == {HOST: login_of("me:pass:word")}


@pytest.mark.parametrize("half", [{"pull_username": "reader"}, {"pull_password": "only"}])
def test_half_a_login_that_reads_is_refused(half):
    with pytest.raises(ValidationError, match="`pull_username` and `pull_password` go together"):
        registry(**half)


def test_the_users_own_logins_and_settings_still_count(own):
    given = {"auths": {"ghcr.io": login_of("other"), HOST: login_of("old")}, "currentContext": "far", "proxies": {}}
    (own / "config.json").write_text(json.dumps(given))
    with registry().docker_config() as env:
        auths = {"ghcr.io": login_of("other"), HOST: login_of("me:pass:word")}
        assert config_of(env) == {**given, "credHelpers": {}, "auths": auths}
    assert json.loads((own / "config.json").read_text()) == given


def test_a_credential_store_does_not_come_before_our_login(own):
    given = {"credsStore": "desktop", "credHelpers": {HOST: "doctl", "gcr.io": "gcloud"}}
    (own / "config.json").write_text(json.dumps(given))
    with registry().docker_config() as env:
        assert config_of(env) == {"credHelpers": {"gcr.io": "gcloud"}, "auths": {HOST: login_of("me:pass:word")}}


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"auths": null, "credHelpers": null}'])
def test_a_configuration_that_says_nothing_is_no_hindrance(own, text):
    (own / "config.json").write_text(text)
    with registry().docker_config() as env:
        assert list(config_of(env)["auths"]) == [HOST]


def test_plugins_and_contexts_are_found_and_survive(own):
    (own / "cli-plugins/docker-compose").write_text("plugin")
    with registry().docker_config() as env:
        directory = Path(env["DOCKER_CONFIG"])
        assert (directory / "cli-plugins/docker-compose").read_text() == "plugin"
        assert (directory / "contexts").is_symlink()
        assert not (directory / "buildx").exists()
    assert (own / "cli-plugins/docker-compose").exists()


@pytest.mark.parametrize("url", ["registry.example.com", "https://registry.example.com/"])
def test_a_host_is_named_without_scheme(url):
    assert registry(registry_url=url).host == "registry.example.com"


def test_one_repository_for_all_must_be_named():
    assert registry().single_repository == ""
    assert registry(layout="single-repository", repository="all").single_repository == "all"
    assert registry(repository="all").single_repository == ""
    with pytest.raises(ValidationError, match="layout single-repository needs `repository`"):
        registry(layout="single-repository")


def test_a_password_is_not_shown():
    shown = f"{registry()!r} {registry()} {registry().model_dump_json()}"
    assert "pass:word" not in shown


def test_a_registry_says_whether_it_takes_our_login():
    with serving("basic") as server:
        good = registry(registry_url=server.host)
        assert good.reach() == f"registry {server.host}: login as me accepted"
        both = good.model_copy(update={"pull_username": "me", "pull_password": good.password})
        assert both.reach() == f"registry {server.host}: logins as me and, to pull, me accepted"
        refused = good.model_copy(update={"pull_username": "reader", "pull_password": good.password})
        with pytest.raises(LoginRefused, match="refuses user 'reader'"):
            refused.reach()
        with pytest.raises(LoginRefused):
            registry(registry_url=server.host, password="wrong").reach()
