"""Private directories on a droplet, really made: those of a killed script go, those of a living one stay."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from flows.core.deploy.pull import RegistryLogin, pull_script
from flows.core.droplet.lock import Holder, hold_script
from flows.core.droplet.private_place import PRIVATE_PLACE
from tests.support import wait_until
from tests.support.builders import digest
from tests.support.fake_droplet import make_host

pytestmark = [pytest.mark.unit, pytest.mark.skipif(not shutil.which("flock"), reason="needs util-linux")]

PULL = pull_script([f"host/web@{digest('a')}"], RegistryLogin("registry.example.com", "me"))


@pytest.fixture
def host(tmp_path):
    return make_host(tmp_path)


def places(host) -> list[Path]:
    return sorted(host.root.glob("slipway-private.*"))


@pytest.fixture
def hanging(host):
    """A pull that hangs, its login on the disk."""
    host.tell_docker(HANGS="yes")
    env = {**host.env, "HANGS": "yes"}
    pull = subprocess.Popen(["sh", "-c", PULL], stdin=subprocess.DEVNULL, env=env, start_new_session=True)
    asked = Path(host.env["RECORD"])
    wait_until(lambda: asked.exists() and "pull" in asked.read_text())
    [place] = places(host)
    assert place.stat().st_mode & 0o777 == 0o700
    yield pull
    if pull.poll() is None:
        os.killpg(pull.pid, signal.SIGKILL)
        pull.wait()


def kill(pull) -> None:
    os.killpg(pull.pid, signal.SIGKILL)
    pull.wait()


def test_the_login_of_a_killed_pull_goes_with_the_next_pull(host, hanging):
    kill(hanging)
    [left] = places(host)
    host.tell_docker()
    assert host.sh(PULL, b"x").returncode == 0
    assert not left.exists()
    assert places(host) == []


def test_whoever_takes_the_lock_removes_the_login_of_a_killed_pull(host, hanging, tmp_path):
    kill(hanging)
    holder = Holder("a" * 32, "me", "deploy")
    taken = subprocess.run(
        hold_script(str(tmp_path / "slipway"), holder.token),
        input=f"{holder.line()}\nbye\n", env=host.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert taken.stdout.startswith("held\n")
    assert places(host) == []


def test_the_login_of_a_pull_that_is_under_way_stays(host, hanging):
    host.tell_docker()
    assert host.sh(PULL, b"x").returncode == 0
    assert len(places(host)) == 1


def test_what_is_not_ours_stays(host):
    (host.root / "elsewhere").mkdir()
    (host.root / "elsewhere/held").touch()
    (host.root / "slipway-private.link").symlink_to("elsewhere")
    (host.root / "slipway-private.bare").mkdir()
    done = host.sh(PRIVATE_PLACE + f"sweep '{host.root}' /none; echo end")
    assert (done.stdout, done.stderr) == (b"end\n", b"")
    assert (host.root / "elsewhere/held").exists()
    assert (host.root / "slipway-private.bare").exists()


def test_a_place_that_cannot_be_made_is_said(host):
    assert host.sh(PRIVATE_PLACE + "private /none || echo no").stdout == b"no\n"
