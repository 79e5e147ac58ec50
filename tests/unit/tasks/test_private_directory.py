"""Private directories on the build host: those of killed runs go, those in use and those of others stay."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from blocks import ContainerRegistry
from flows.tasks import private_directory as module
from flows.tasks.private_directory import private_directory, sweep
from tests import CHECKOUT

pytestmark = pytest.mark.unit

MAKE = """
import sys, time
from flows.tasks.private_directory import private_directory
with private_directory("build") as place:
    open(place + "/secret", "w").write("s3cr3t")
    print(place, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def base(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(module.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(module, "_YOUNG", -1)
    module._sweep_once.cache_clear()
    return tmp_path


@pytest.fixture
def other(base):
    """Another process that uses a private directory, and its place."""
    argv, env = [sys.executable, "-c", MAKE], {**os.environ, "TMPDIR": str(base)}
    with subprocess.Popen(argv, cwd=CHECKOUT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        yield run, Path(run.stdout.readline().strip())
        run.kill()


def test_only_we_can_enter_it_and_it_goes_at_the_end(base):
    with private_directory("build") as place:
        assert Path(place).stat().st_mode & 0o777 == 0o700
        assert Path(place).parent == base
    assert os.listdir(base) == []


def test_what_a_killed_run_left_goes_with_the_next_run(other, base):
    run, place = other
    sweep(str(base))
    assert (place / "secret").exists(), "it is in use"
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert (place / "secret").exists()
    with private_directory("reading") as mine:
        assert os.listdir(base) == [Path(mine).name]


def test_a_login_in_use_stays_and_one_that_was_left_goes(base):
    registry = ContainerRegistry(registry_url="registry.example.com", username="me", password="x")
    with registry.docker_config() as env:
        sweep(str(base))
        assert Path(env["DOCKER_CONFIG"], "config.json").exists()
        left = base / "slipway-docker-left.held"
        left.mkdir()
        sweep(str(base))
        assert os.listdir(base) == [Path(env["DOCKER_CONFIG"]).name]


def test_what_is_not_ours_or_was_just_made_stays(base, monkeypatch):
    (base / "elsewhere").mkdir()
    (base / "elsewhere/file").touch()
    (base / "slipway-link.held").symlink_to("elsewhere")
    (base / "slipway-file.held").touch()
    (base / "slipway-other").mkdir()
    sweep(str(base))
    assert len(os.listdir(base)) == 4
    (base / "slipway-young.held").mkdir()
    monkeypatch.setattr(module, "_YOUNG", 60)
    sweep(str(base))
    assert (base / "slipway-young.held").exists()
    assert (base / "elsewhere/file").exists()
    monkeypatch.setattr(module.os, "getuid", lambda: os.geteuid() + 1)
    monkeypatch.setattr(module, "_YOUNG", -1)
    sweep(str(base))
    assert (base / "slipway-young.held").exists()
