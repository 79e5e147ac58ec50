"""Which images builds started from: by their Dockerfiles, the builds' log, and the engine."""

import json
import subprocess

import pytest

from flows.core.registry.layout import RegistryLayout
from flows.core.release.image_plan import plan_images
from flows.core.trust.bases import BaseImage
from flows.settings import Settings
from flows.tasks.trust import base_images as module
from flows.tasks.trust.base_images import read_base_images
from flows.tasks.trust.build_source import read_build_source
from tests.support.builders import digest, stack
from tests.support.files.checkout import GIT

pytestmark = pytest.mark.unit

A, B, C = digest("a"), digest("b"), digest("c")
BASE = "localhost:5000/team/shop-base:v1"
ENGINE = {"debian:13": {"Id": C, "RepoDigests": []}, "curl:8": {"Id": A, "RepoDigests": [f"curl@{B}"]}}


@pytest.fixture
def engine(monkeypatch):
    def inspect(argv, env):
        known = ENGINE.get(argv[-1])
        return subprocess.CompletedProcess(argv, known is None, json.dumps([known] if known else []), "")

    monkeypatch.setattr(module, "run", inspect)


def bases(dockerfiles, log=(), **services):
    shop = stack({
        name: {"image": f"shop-{name}", "build": {"context": f"/{name}", **services.get(name, {})}}
        for name in dockerfiles
    })  # fmt: skip
    plan = plan_images(shop, RegistryLayout("localhost:5000", "team"), "v1")
    return read_base_images(shop, plan, dockerfiles, log, {BASE: C}, Settings(), {})


@pytest.mark.usefixtures("engine")
def test_each_build_has_its_bases_as_they_are_known():
    found = bases(
        {
            "base": "FROM debian:13",
            "web": "ARG V=3\nFROM python:$V\nCOPY --from=shop-base /a /b\nCOPY --from=curl:8 /c /",
        },
        [f"#5 [web 1/2] FROM docker.io/library/python:3.13@{A}"],
        web={"args": {"V": "3.13", "UNSET": None}},
    )
    assert found == {
        "base": (BaseImage("debian:13", image_id=C),),
        "web": (BaseImage("python:3.13", A), BaseImage("curl:8", B), BaseImage(BASE, C)),
    }


@pytest.mark.usefixtures("engine")
def test_additional_contexts_are_bases_too():
    contexts = {"tools": "docker-image://curl:8", "files": "./files"}
    found = bases({"web": "FROM scratch\nCOPY --from=tools /a /b"}, web={"additional_contexts": contexts})
    assert found == {"web": (BaseImage("curl:8", B),)}


@pytest.mark.usefixtures("engine")
def test_a_dockerfile_that_cannot_be_read_has_no_known_base():
    assert bases({"web": None}) == {"web": ()}


def git(place, *words):
    return subprocess.run([*GIT, "-C", place, *words], check=True, capture_output=True, text=True).stdout.strip()


def test_the_source_is_a_commit_of_a_remote_without_its_login(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "a")
    commit = git(tmp_path, "rev-parse", "HEAD")
    found = read_build_source(str(tmp_path), commit)
    assert (found.commit, found.remote, found.dirty) == (commit, "", False)
    git(tmp_path, "remote", "add", "origin", "https://me:hunter2@git.example.com/shop.git")
    (tmp_path / "b").write_text("2")
    found = read_build_source(str(tmp_path), commit)
    assert (found.remote, found.dirty) == ("https://git.example.com/shop.git", True)


def test_outside_git_there_is_no_source(tmp_path):
    assert read_build_source(str(tmp_path), None).commit == ""
