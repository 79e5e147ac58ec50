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
def test_a_host_that_goes_down_is_waited_for_and_gone_back_on(what: str, scenario: DropletScenario) -> None:
    scenario.says(what, "during the start", "fails, and the release before it serves again")
    with scenario.on_disposable() as (there, disposable):
        runs, before = there.settle()
        process = there.start_process(there.stack.deploy(SECOND), **STARTING)
        process.held()
        disposable.reboot() if "reboots" in what else disposable.restart_engine()
        said = process.wait()
        assert said.code == 1, said.all
        assert f"Rolled back: release {runs} runs on" in said.err, said.err
        disposable.ready()
        there.ended_well(before, runs)


def test_a_run_killed_while_the_droplet_reboots_is_undone_by_reconcile(scenario: DropletScenario) -> None:
    scenario.says("the droplet reboots, the run is killed", "during the start", "the release before it serves")
    with scenario.on_disposable() as (there, disposable):
        runs, before = there.settle()
        process = there.start_process(there.stack.deploy(SECOND), **STARTING)
        process.held()
        disposable.reboot()
        process.end()
        disposable.ready()
        there.done(there.stack.words("reconcile"))
        there.ended_well(before, runs)


def test_a_disk_that_is_full_during_the_pull_changes_nothing(scenario: DropletScenario) -> None:
    scenario.says("the droplet's disk is full", "during the pull", "fails, nothing has changed")
    big = scenario.stack.publish("big", WELL, ballast=60 * MEGABYTE)
    with scenario.on_disposable(SMALL) as (there, disposable):
        runs, before = there.settle()
        process = there.start_process(there.stack.deploy(big), when="before", step=Step.PULL.value)
        process.held()
        disposable.fill(leave=20 * MEGABYTE)
        process.go()
        said = process.wait()
        assert said.code in (1, 2), said.all
        assert "no space left on device" in said.err
        disposable.make_room()
        there.ended_well(before, runs)


def test_a_disk_that_is_full_during_the_build_publishes_nothing(scenario: DropletScenario) -> None:
    scenario.says(
        "the build host's disk is full", "during the build", "fails, nothing is published, builds again after"
    )
    source = scenario.stack.write("full", WELL, ballast=60 * MEGABYTE)
    words = ["build-push", "--stack", str(source), "--tag", "full"]
    with scenario.on_disposable(SMALL) as (there, disposable):
        _bring_base(disposable)
        disposable.fill(leave=10 * MEGABYTE)
        engine = {"DOCKER_HOST": disposable.docker_host, "CI": "1"}
        said = there.say(words, engine)
        assert said.code == 1, said.all
        assert said.errors[0].startswith("BuildFailed: "), said.err
        assert "no space left on device" in said.err
        missing = there.say(there.stack.deploy("full"))
        assert missing.code == 2, missing.all
        disposable.make_room()
        assert there.say(words, engine).code == 0


def _bring_base(disposable: DisposableDroplet) -> None:
    """Offer the droplet's engine, with the image that the stack is built from."""
    disposable.offer_engine()
    image = subprocess.run(["docker", "save", "debian:trixie-slim"], capture_output=True, check=True, timeout=60).stdout
    load = ["docker", "--host", disposable.docker_host, "load", "--quiet"]
    subprocess.run(load, input=image, capture_output=True, check=True, timeout=60)
