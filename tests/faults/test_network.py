"""The connection to the droplet is cut, or goes silent, in the middle of a step."""

from typing import Any

import pytest

from flows.core.steps import Step
from tests.faults.harness.invariants import eventually
from tests.faults.harness.scenario import SLOWLY, DropletScenario, other
from tests.support import wait_until

pytestmark = pytest.mark.faults
PULLING: dict[str, Any] = {"when": "during", "step": Step.PULL.value, "command": "docker pull", "delay": 0.7}
STARTING: dict[str, Any] = {"when": "during", "step": Step.START.value, "command": " up ", "delay": 0.4}
# How often it is tried to reach the droplet before it can be reached again.
TRIES = 3
# Seconds after which nobody holds the lock any more, whatever happened to the network.
LEASE = 30.0


def test_a_cut_while_pulling_changes_nothing(scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    scenario.says("the connection is cut", "during the pull", "fails, nothing has changed")
    process = _slow_pull(scenario, runs)
    scenario.proxy.cut()
    said = process.wait()
    assert said.code in (1, 2), said.all
    assert said.errors[0].startswith("Unreachable: "), said.err
    scenario.ended_well(before, runs)


def test_a_cut_while_starting_is_gone_back_from(scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    scenario.says("the connection is cut", "during the start", "fails, and the release before it serves again")
    process = scenario.start_process(scenario.stack.deploy(other(runs)), **STARTING)
    process.held()
    scenario.proxy.cut()
    _assert_gone_back(process.wait(), runs)
    scenario.ended_well(before, runs)


def test_a_droplet_out_of_reach_for_a_while_is_waited_for_and_gone_back_on(scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    scenario.says("no connection for a while", "during the start", "fails, and the release before it serves again")
    process = scenario.start_process(scenario.stack.deploy(other(runs)), **STARTING)
    process.held()
    scenario.proxy.cut(down=True)
    wait_until(lambda: scenario.proxy.refused >= TRIES)
    scenario.proxy.heal()
    _assert_gone_back(process.wait(), runs)
    scenario.ended_well(before, runs)


def test_a_short_silence_does_no_harm(scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    scenario.says("silence for a moment", "during the start", "the new release is good")
    process = scenario.start_process(scenario.stack.deploy(other(runs)), **STARTING)
    process.held()
    scenario.proxy.silence()
    wait_until(lambda: scenario.proxy.withheld)
    scenario.proxy.heal()
    said = process.wait()
    assert said.code == 0, said.all
    scenario.done(scenario.stack.words("validate"))
    scenario.ended_well(before, other(runs))


def test_silence_while_pulling_frees_the_lock_and_changes_nothing(scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    scenario.says("silence without an end", "during the pull", "the lock is free after its lease, nothing has changed")
    process = _slow_pull(scenario, runs)
    scenario.proxy.silence(down=False)
    eventually(lambda: _lock(scenario), "free", LEASE)
    said = process.wait()
    assert said.code in (1, 2), said.all
    scenario.ended_well(before, runs)


def test_silence_while_starting_frees_the_lock_and_is_gone_back_from(scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    scenario.says("silence without an end", "during the start", "the lock is free after its lease, gone back")
    process = scenario.start_process(scenario.stack.deploy(other(runs)), **STARTING)
    process.held()
    scenario.proxy.silence(down=False)
    _assert_gone_back(process.wait(), runs)
    scenario.ended_well(before, runs)


def _slow_pull(scenario: DropletScenario, runs: str) -> Any:
    """A deploy that is in the middle of its pull."""
    scenario.forget_images()
    scenario.registry.misbehave(f"/{scenario.stack.name}/blobs/", rate=SLOWLY)
    process = scenario.start_process(scenario.stack.deploy(other(runs)), **PULLING)
    process.held()
    return process


def _lock(scenario: DropletScenario) -> str:
    return scenario.stack.droplet.sh(f"flock -n {scenario.stack.droplet.directory}/lock echo free || echo held").strip()


def _assert_gone_back(said: Any, runs: str) -> None:
    assert said.code == 1, said.all
    assert f"Rolled back: release {runs} runs on" in said.err, said.err
