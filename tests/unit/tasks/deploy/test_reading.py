"""A droplet's reading of a stack is held against this host's own."""

import json
import logging
import stat

import pytest

from flows.core.errors import BrokenStack, ReadingsDiffer
from flows.core.release.bundle import File
from flows.settings import Settings
from flows.tasks.deploy import reading
from flows.tasks.deploy.reading import Reading, compare_readings, read_here
from tests.support.builders import release
from tests.support.stack.compose_client import needs_compose

pytestmark = pytest.mark.unit

THERE = ("green", "2.26.1")


def printed(**environment: str) -> str:
    return json.dumps({"services": {"web": {"image": "x", "environment": environment or None}}})


@needs_compose
def test_the_env_file_that_is_the_droplets_own_is_left_out_of_the_reading():
    text = "services: {web: {image: x, env_file: [own.env, /etc/the-droplets.env]}, job: {image: y}}"
    content = {"files/compose.yml": File(text.encode()), "files/own.env": File(b"A=1\n")}
    needed = ({"path": "own.env"},)
    found = read_here(release(environment_files=needed), content, {}, Settings())
    assert found.config["services"]["web"]["environment"] == {"A": "1"}
    assert found.unknown == {"web"}


def test_what_the_droplets_own_env_file_says_is_no_difference():
    here = Reading(json.loads(printed(A="1")), THERE[1], frozenset({"web"}))
    compare_readings(release(), here, printed(A="2", OF_THE_DROPLET="yes"), "", there=THERE)


@pytest.mark.parametrize("unknown", [frozenset(), frozenset({"we"})])
def test_a_variable_that_the_droplet_has_besides_is_refused(unknown):
    here = Reading(json.loads(printed(A="1")), THERE[1], unknown)
    with pytest.raises(ReadingsDiffer, match=r"services\.web\.environment\.B: 'nothing' here, '2' there"):
        compare_readings(release(), here, printed(A="1", B="2"), "", there=THERE)


WHAT = release(compose_files=("compose.yml",))
CONTENT = {"files/compose.yml": File(b"services: {web: {image: a}}")}
CONFIG = "services: {web: {image: a}}"


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """Makes a `docker` whose Compose has this version ('' for none) and resolves to this; returns the settings."""
    monkeypatch.setattr(reading, "get_run_logger", lambda: logging.getLogger("test"))

    def make(version: str, says: str = CONFIG, code: int = 0) -> Settings:
        file = tmp_path / "docker"
        file.write_text(
            f"#!/bin/sh\n[ '{version}' ] || {{ echo 'compose is not a docker command' >&2; exit 1; }}\n"
            f"case \"$*\" in *' version '*) echo '{version}' ;; *) echo '{says}'; exit {code} ;; esac\n"
        )
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return Settings(docker=str(file))

    return make


def compare(settings: Settings, printed: str, version: str) -> None:
    here = read_here(WHAT, CONTENT, {}, settings)
    compare_readings(WHAT, here, printed, "", there=("green", version))


def test_the_same_reading_passes_whatever_the_versions(docker):
    settings = docker("2.26.1")
    assert read_here(WHAT, CONTENT, {}, settings).config == {"services": {"web": {"image": "a"}}}
    compare(settings, CONFIG, "2.40.0")


@pytest.mark.parametrize("printed", ["services: {web: {image: b}}", "services: {web: {image: a, init: true}}"])
def test_a_difference_between_equal_versions_is_refused(docker, printed):
    with pytest.raises(
        ReadingsDiffer, match=r"green do not read stack .* alike: services\.web\..* Compose is 2\.26\.1 here"
    ):
        compare(docker("2.26.1"), printed, "2.26.1")


def test_a_default_that_another_version_writes_out_is_no_difference(docker):
    compare(docker("2.26.1"), "services: {web: {image: a, init: true}}", "2.40.0")
    with pytest.raises(ReadingsDiffer, match=r"services\.web\.image"):
        compare(docker("2.26.1"), "services: {web: {image: b}}", "2.40.0")


def test_without_compose_here_nothing_is_compared_and_that_is_said(docker, caplog):
    settings = docker("")
    assert read_here(WHAT, CONTENT, {}, settings).version == ""
    compare(settings, "services: {web: {image: b}}", "2.40.0")
    assert "the droplet's reading is not compared" in caplog.text


def test_what_compose_refuses_here_is_an_error(docker):
    with pytest.raises(BrokenStack, match="Compose cannot read the stack"):
        read_here(WHAT, CONTENT, {}, docker("2.26.1", "services.web is odd", 15))
