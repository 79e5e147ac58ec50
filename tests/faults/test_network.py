"""The connection to the droplet is cut, or goes silent, in the middle of a step."""

import time
from typing import Any

import pytest

from flows.core.steps import Step
from tests.faults.harness.invariants import eventually
from tests.faults.harness.scenario import SLOWLY, DropletScenario, other

pytestmark = pytest.mark.faults
PULLING: dict[str, Any] = {"when": "during", "step": Step.PULL.value, "command": "docker pull", "delay": 0.7}
STARTING: dict[str, Any] = {"when": "during", "step": Step.START.value, "command": " up ", "delay": 0.4}
# Seconds that a short outage lasts: the time itself is the fault.
OUTAGE = 5.0
# Seconds after which nobody holds the lock any more, whatever happened to the network.
LEASE = 30.0


def test_a_cut_while_pulling_changes_nothing(stage: DropletScenario) -> None:
    runs, before = stage.settle()
    stage.says("the connection is cut", "during the pull", "fails, nothing has changed")
    victim = _slow_pull(stage, runs)
    stage.wire.cut()
    said = victim.wait()
    assert said.code in (1, 2), said.all
    assert said.errors[0].startswith("Unreachable: "), said.err
    stage.ended_well(before, runs)


def test_a_cut_while_starting_is_gone_back_from(stage: DropletScenario) -> None:
    runs, before = stage.settle()
    stage.says("the connection is cut", "during the start", "fails, and the release before it serves again")
    victim = stage.victim(stage.trio.deploy(other(runs)), **STARTING)
    victim.held()
    stage.wire.cut()
    _assert_gone_back(victim.wait(), runs)
    stage.ended_well(before, runs)


def test_a_droplet_out_of_reach_for_a_while_is_waited_for_and_gone_back_on(stage: DropletScenario) -> None:
    runs, before = stage.settle()
    stage.says("no connection for five seconds", "during the start", "fails, and the release before it serves again")
    victim = stage.victim(stage.trio.deploy(other(runs)), **STARTING)
    victim.held()
    stage.wire.cut(down=True)
    time.sleep(OUTAGE)
    stage.wire.heal()
    _assert_gone_back(victim.wait(), runs)
    stage.ended_well(before, runs)


def test_a_short_silence_does_no_harm(stage: DropletScenario) -> None:
    runs, before = stage.settle()
    stage.says("silence for five seconds", "during the start", "the new release is good")
    victim = stage.victim(stage.trio.deploy(other(runs)), **STARTING)
    victim.held()
    stage.wire.silence()
    time.sleep(OUTAGE)
    stage.wire.heal()
    said = victim.wait()
    assert said.code == 0, said.all
    stage.done(stage.trio.words("validate"))
    stage.ended_well(before, other(runs))


def test_silence_while_pulling_frees_the_lock_and_changes_nothing(stage: DropletScenario) -> None:
    runs, before = stage.settle()
    stage.says("silence without an end", "during the pull", "the lock is free after its lease, nothing has changed")
    victim = _slow_pull(stage, runs)
    stage.wire.silence(down=False)
    eventually(lambda: _lock(stage), "free", LEASE)
    said = victim.wait()
    assert said.code in (1, 2), said.all
    stage.ended_well(before, runs)


def test_silence_while_starting_frees_the_lock_and_is_gone_back_from(stage: DropletScenario) -> None:
    runs, before = stage.settle()
    stage.says("silence without an end", "during the start", "the lock is free after its lease, gone back")
    victim = stage.victim(stage.trio.deploy(other(runs)), **STARTING)
    victim.held()
    stage.wire.silence(down=False)
    _assert_gone_back(victim.wait(), runs)
    stage.ended_well(before, runs)


def _slow_pull(stage: DropletScenario, runs: str) -> Any:
    """A deploy that is in the middle of its pull."""
    stage.forget_images()
    stage.registry.misbehave(f"/{stage.trio.stack}/blobs/", rate=SLOWLY)
    victim = stage.victim(stage.trio.deploy(other(runs)), **PULLING)
    victim.held()
    return victim


def _lock(stage: DropletScenario) -> str:
    return stage.trio.droplet.sh(f"flock -n {stage.trio.droplet.directory}/lock echo free || echo held").strip()


def _assert_gone_back(said: Any, runs: str) -> None:
    assert said.code == 1, said.all
    assert f"Rolled back: release {runs} runs on" in said.err, said.err
