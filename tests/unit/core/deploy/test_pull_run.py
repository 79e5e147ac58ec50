"""The scripts that pull images and look at a droplet, really run."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from flows.core.deploy.facts import facts_script, read_facts
from flows.core.deploy.pull import LOGIN_FAILED, PULL_FAILED, RegistryLogin, pull_script, read_pulls
from tests.support import wait_until
from tests.support.builders import digest
from tests.support.fake_droplet import make_host

pytestmark = pytest.mark.unit


@pytest.fixture
def host(tmp_path):
    return make_host(tmp_path)


WEB, DB = f"host/web@{digest('a')}", f"host/db@{digest('b')}"
ACCOUNT = RegistryLogin("registry.example.com:5000", "it's me")


def test_images_are_pulled_after_a_login_by_standard_input_and_tagged(host):
    done = host.sh(pull_script([WEB, DB], ACCOUNT), b"pass word")
    assert done.returncode == 0
    login, *pulls, first, second = host.asked()
    assert login == "login --username it's me --password-stdin registry.example.com:5000"
    assert sorted(pulls) == [f"pull --quiet {DB}", f"pull --quiet {WEB}"]
    assert (first, second) == (f"tag {WEB} host/web:slipway-{'a' * 16}", f"tag {DB} host/db:slipway-{'b' * 16}")
    assert Path(f"{host.env['RECORD']}.password").read_bytes() == b"pass word"


def test_each_pull_says_how_long_it_took(host):
    took = read_pulls(host.sh(pull_script([WEB, DB], ACCOUNT), b"x").stdout.decode())
    assert sorted(took) == [DB, WEB]
    assert all(isinstance(seconds, float) and seconds >= 0 for seconds in took.values())


@pytest.mark.parametrize(
    ("printed", "took"),
    [
        ("slipway-pulled r@d 100.5 101.75", {"r@d": 1.25}),
        ("slipway-pulled r@d 100 102", {"r@d": 2.0}),
        ("slipway-pulled r@d 100.N 102.N", {"r@d": None}),
        ("slipway-pulled r@d", {"r@d": None}),
        ("slipway-pulled r@d 102.0 100.0", {"r@d": None}),
        ("slipway-pulled", {}),
        ("r@d\nother words", {}),
    ],
)
def test_a_clock_that_says_nothing_or_goes_back_is_unknown(printed, took):
    assert read_pulls(printed) == took


OWN = json.dumps({
    "auths": {"ghcr.io": {"auth": "x"}},
    "credsStore": "pass",
    "credHelpers": {"registry.example.com:5000": "doctl", "x": "ecr"},
})  # fmt: skip


def test_the_droplets_own_logins_count_and_its_credential_store_is_not_asked_to_keep_ours(host):
    (host.root / ".docker").mkdir()
    own = host.root / ".docker/config.json"
    own.write_text(OWN)
    assert host.sh(pull_script([WEB], ACCOUNT), b"x").returncode == 0
    used = Path(f"{host.env['RECORD']}.config").read_text()
    config = json.loads(used)
    assert config["auths"] == {"ghcr.io": {"auth": "x"}}
    assert not config.get("credsStore")
    assert config["credHelpers"].get("registry.example.com:5000") is None
    assert config["credHelpers"]["x"] == "ecr"
    assert own.read_text() == OWN


@pytest.mark.parametrize(("env", "code"), [({}, 0), ({"LOGIN": "1"}, LOGIN_FAILED), ({"REFUSE": "db"}, PULL_FAILED)])
def test_the_login_is_gone_afterwards_however_it_ends(host, env, code):
    done = host.sh(pull_script([WEB, DB], ACCOUNT), b"x", **env)
    assert done.returncode == code
    assert sorted(os.listdir(host.root)) == ["asked", "asked.password", "bin"]


def test_the_login_is_gone_when_the_whole_group_is_told_to_end_again_and_again(host):
    slow = host.root / "bin/rm"
    slow.write_text('#!/bin/sh\nsleep 0.3\nexec /bin/rm "$@"\n')
    slow.chmod(0o755)
    script = pull_script([WEB], ACCOUNT)
    env = {**host.env, "HANGS": "yes"}
    pull = subprocess.Popen(["sh", "-c", script], stdin=subprocess.DEVNULL, env=env, start_new_session=True)
    asked = Path(host.env["RECORD"])
    wait_until(lambda: asked.exists() and "pull" in asked.read_text())

    def told_again() -> bool:
        if pull.poll() is None:
            os.killpg(pull.pid, signal.SIGTERM)
        return pull.poll() is not None

    wait_until(told_again)
    assert pull.returncode == 129
    assert sorted(os.listdir(host.root)) == ["asked", "asked.password", "bin"]


def test_a_pull_that_fails_lets_the_others_end_and_says_which_it_was(host):
    done = host.sh(pull_script([DB, WEB], ACCOUNT), b"x", REFUSE="db")
    assert f"pull --quiet {WEB}" in host.asked()
    assert done.stderr.decode() == f"no {DB}\n"


def test_facts_of_a_droplet_that_has_nothing_yet(host):
    Path(f"{host.env['RECORD']}.info").write_text(
        '{"ServerVersion":"26.1.5","OSType":"linux","Architecture":"x86_64","DockerRootDir":"/","Name":"a\\tb",'
        '"ClientInfo":{"Plugins":[{"Name":"compose","Version":"2.26.1"}]}}'
    )
    facts = read_facts(host.sh(facts_script(host.home, [WEB])).stdout.decode(), "shop")
    assert (facts.engine, facts.compose, facts.platform) == ("26.1.5", "2.26.1", "linux/amd64")
    assert facts.free > 0
    assert (facts.containers, facts.present, facts.current, facts.history.current) == ((), frozenset(), "", "")


def test_facts_know_the_current_release(host):
    Path(f"{host.env['RECORD']}.info").write_text("{}")
    host.deploy("v1.a")
    facts = read_facts(host.sh(facts_script(host.home)).stdout.decode(), "shop")
    assert (facts.current, facts.history.current) == ('{"tag": "v1"}', "v1.a")
