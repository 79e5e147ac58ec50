"""The scripts of `slipway setup`, at a machine that is a directory."""

import json
from dataclasses import replace

import pytest

from blocks.errors import RemoteFailed, Unreachable
from flows.core.droplet.setup.plan import SetupWish, plan_setup
from flows.core.droplet.setup.scripts import CHANGED_MEANWHILE, as_root, daemon_script
from flows.core.errors import SetupFailed
from flows.tasks.droplet.setup import look_at_machine, set_up_machine
from tests.support.machine.fake_machine import FakeMachine

pytestmark = pytest.mark.unit
WISH = SetupWish("slipway", "ssh-ed25519 AAAAC3Nz", swap="1M")
# Commands that change something, of a fresh machine.
CHANGES = 12


@pytest.fixture
def machine(tmp_path):
    return FakeMachine(tmp_path / "machine")


def test_a_fresh_machine_is_set_up_and_a_second_time_nothing_is_done(machine):
    told = []
    assert set_up_machine(machine, WISH, told.append) == 6
    assert [sentence.partition(":")[0] for sentence in told] == [
        "log limits", "engine", "deploy user", "key", "directory", "swap",
    ]  # fmt: skip
    state, scripts = machine.state(), len(machine.scripts)
    assert state["home/slipway/.ssh/authorized_keys"] == "restrict,port-forwarding ssh-ed25519 AAAAC3Nz slipway\n"
    assert json.loads(state["etc/docker/daemon.json"])["log-opts"] == {"max-size": "10m", "max-file": "3"}
    assert (machine.root / "starts").read_text() == "start\n"
    assert set_up_machine(machine, WISH, told.append) == 0
    assert (machine.state(), len(machine.scripts)) == (state, scripts)


@pytest.fixture(scope="module")
def uncut(tmp_path_factory):
    """What a machine is that was set up without a break."""
    whole = FakeMachine(tmp_path_factory.mktemp("uncut") / "machine")
    set_up_machine(whole, WISH, lambda _: None)
    return whole.state()


@pytest.mark.parametrize("number", range(1, CHANGES + 1))
def test_cut_off_at_any_change_the_next_call_ends_where_an_uncut_one_does(machine, uncut, number):
    machine.cut_off(number)
    with pytest.raises(Unreachable):
        set_up_machine(machine, WISH, lambda _: None)
    set_up_machine(machine, WISH, lambda _: None)
    assert machine.state() == uncut


def test_there_are_no_more_changes_than_those_that_are_cut(machine):
    machine.cut_off(CHANGES + 1)
    assert set_up_machine(machine, WISH, lambda _: None) == 6


def test_a_step_that_changes_nothing_is_noticed_and_not_repeated(machine):
    (machine.root / "bin/usermod").unlink()
    (machine.root / "bin/useradd").unlink()
    (machine.root / "bin/useradd").symlink_to(machine.root / "bin/true")
    (machine.root / "bin/true").write_text("#!/bin/sh\n")
    (machine.root / "bin/true").chmod(0o755)
    with pytest.raises(SetupFailed, match="the step 'deploy user' ended well, and what it is for is still missing"):
        set_up_machine(machine, WISH, lambda _: None)
    assert len(machine.scripts) == 3


def test_a_step_that_fails_says_why(machine):
    (machine.root / "bin/runuser").unlink()
    with pytest.raises(SetupFailed, match=r"the step 'key' failed: exit 127: .*runuser.*run the same command again"):
        set_up_machine(machine, WISH, lambda _: None)
    assert set_up_again(machine) == "log limits, engine, deploy user"


def set_up_again(machine):
    """The steps that are done already."""
    missing = {step.name for step in plan_setup(look_at_machine(machine, WISH), WISH).steps}
    return ", ".join(name for name in ("log limits", "engine", "deploy user", "key") if name not in missing)


class TestTheEnginesConfiguration:
    """It is replaced whole, once, and only over what was read."""

    @pytest.fixture
    def running(self, machine):
        set_up_machine(machine, replace(WISH, log_limit="none", swap="none"), lambda _: None)
        (machine.root / "etc/docker").mkdir(exist_ok=True)
        (machine.root / "etc/docker/daemon.json").write_text('{"debug": true}\n')
        return machine

    def text(self, machine):
        return json.loads((machine.root / "etc/docker/daemon.json").read_text())

    def test_it_is_merged_and_the_engine_started_again(self, running):
        assert set_up_machine(running, WISH, lambda _: None) == 2
        assert self.text(running)["debug"] is True
        assert self.text(running)["log-opts"]["max-size"] == "10m"
        assert (running.root / "starts").read_text() == "start\nrestart\n"

    def test_one_that_was_replaced_and_not_yet_taken_is_taken_by_the_next_call(self, running):
        running.cut_off(1)
        with pytest.raises(Unreachable):
            set_up_machine(running, WISH, lambda _: None)
        assert "log-opts" in self.text(running)
        set_up_machine(running, WISH, lambda _: None)
        assert (running.root / "starts").read_text() == "start\nrestart\n"
        assert not (running.root / "etc/docker/slipway-restart").exists()

    def test_one_that_the_engine_refuses_is_never_put_there(self, running):
        (running.root / "refuses").write_text("")
        with pytest.raises(SetupFailed, match="does not take its new configuration"):
            set_up_machine(running, WISH, lambda _: None)
        assert self.text(running) == {"debug": True}
        assert (running.root / "starts").read_text() == "start\n"

    def test_one_that_changed_since_it_was_read_is_left(self, running):
        argv, script = as_root("root", daemon_script("{}", "0" * 64, restart=True))
        with pytest.raises(RemoteFailed) as refused:
            running.run(argv, timeout=30, stdin=script)
        assert (refused.value.code, self.text(running)) == (CHANGED_MEANWHILE, {"debug": True})


def test_of_a_script_that_is_cut_off_on_its_way_nothing_is_run(machine):
    argv, script = as_root("root", "useradd first\nuseradd second")
    with pytest.raises(RemoteFailed):
        machine.run(argv, timeout=30, stdin=script[:-20])
    assert "first" not in machine.state()["passwd"]


def test_with_sudo_the_script_and_the_key_stay_on_standard_input():
    argv, script = as_root("sudo", "useradd first")
    assert argv[:2] == ["sudo", "-n"]
    assert "useradd" not in " ".join(argv)
    assert b"useradd first" in script
