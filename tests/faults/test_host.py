"""The droplet itself fails: its engine restarts, it reboots, its disk fills up; and so does the build host's disk."""

import subprocess
from typing import Any

import pytest

from flows.core.steps import Step
from tests.faults.harness.doubles.disposable_droplet import DisposableDroplet
from tests.faults.harness.scenario import SECOND, DropletScenario
from tests.stacks.three_services import WELL

pytestmark = pytest.mark.faults
STARTING: dict[str, Any] = {"when": "during", "step": Step.START.value, "command": " up ", "delay": 0.4}
SMALL = "700m"
MEGABYTE = 1_000_000


@pytest.mark.parametrize("what", ["the engine restarts", "the droplet reboots"])
def test_a_host_that_goes_down_is_waited_for_and_gone_back_on(what: str, stage: DropletScenario) -> None:
    stage.says(what, "during the start", "fails, and the release before it serves again")
    with stage.on_spare() as (there, spare):
        runs, before = there.settle()
        victim = there.victim(there.trio.deploy(SECOND), **STARTING)
        victim.held()
        spare.reboot() if "reboots" in what else spare.restart_engine()
        said = victim.wait()
        assert said.code == 1, said.all
        assert f"Rolled back: release {runs} runs on" in said.err, said.err
        spare.ready()
        there.ended_well(before, runs)


def test_a_run_killed_while_the_droplet_reboots_is_undone_by_reconcile(stage: DropletScenario) -> None:
    stage.says("the droplet reboots, the run is killed", "during the start", "the release before it serves")
    with stage.on_spare() as (there, spare):
        runs, before = there.settle()
        victim = there.victim(there.trio.deploy(SECOND), **STARTING)
        victim.held()
        spare.reboot()
        victim.end()
        spare.ready()
        there.done(there.trio.words("reconcile"))
        there.ended_well(before, runs)


def test_a_disk_that_is_full_during_the_pull_changes_nothing(stage: DropletScenario) -> None:
    stage.says("the droplet's disk is full", "during the pull", "fails, nothing has changed")
    big = stage.trio.publish("big", WELL, ballast=60 * MEGABYTE)
    with stage.on_spare(SMALL) as (there, spare):
        runs, before = there.settle()
        victim = there.victim(there.trio.deploy(big), when="before", step=Step.PULL.value)
        victim.held()
        spare.fill(leave=20 * MEGABYTE)
        victim.go()
        said = victim.wait()
        assert said.code in (1, 2), said.all
        assert "no space left on device" in said.err
        spare.make_room()
        there.ended_well(before, runs)


def test_a_disk_that_is_full_during_the_build_publishes_nothing(stage: DropletScenario) -> None:
    stage.says("the build host's disk is full", "during the build", "fails, nothing is published, builds again after")
    source = stage.trio.write("full", WELL, ballast=60 * MEGABYTE)
    words = ["build-push", "--stack", str(source), "--tag", "full"]
    with stage.on_spare(SMALL) as (there, spare):
        _bring_base(spare)
        spare.fill(leave=10 * MEGABYTE)
        engine = {"DOCKER_HOST": spare.docker_host, "CI": "1"}
        said = there.say(words, engine)
        assert said.code == 1, said.all
        assert said.errors[0].startswith("BuildFailed: "), said.err
        assert "no space left on device" in said.err
        missing = there.say(there.trio.deploy("full"))
        assert missing.code == 2, missing.all
        spare.make_room()
        assert there.say(words, engine).code == 0


def _bring_base(spare: DisposableDroplet) -> None:
    """Offer the spare's engine, with the image that the trio is built from."""
    spare.offer_engine()
    image = subprocess.run(["docker", "save", "debian:trixie-slim"], capture_output=True, check=True, timeout=60).stdout
    load = ["docker", "--host", spare.docker_host, "load", "--quiet"]
    subprocess.run(load, input=image, capture_output=True, check=True, timeout=60)
