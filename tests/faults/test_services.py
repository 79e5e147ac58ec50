"""Releases whose services misbehave: what is bad is gone back from, what only looks bad is let through."""

import pytest

from tests.faults.harness.scenario import DropletScenario
from tests.stacks.three_services import CRASHES, LIES, SICK, SLOW, TELLS, WELL

pytestmark = pytest.mark.faults
# The habit of the front, the error that is told, and a part of its last words.
BAD = {
    "never healthy": (SICK, "ServicesNotReady", "no map yet"),
    "crash-loops": (CRASHES, "", "cannot find its map"),
    "its workflow fails": (LIES, "ValidationFailed", "500"),
}
GOOD = {"slow, but healthy within its start period": (SLOW, False), "a one-shot exits 0": (WELL, True)}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_release_is_gone_back_from(what: str, stage: DropletScenario) -> None:
    runs, before = stage.settle()
    habit, error, words = BAD[what]
    stage.says(f"a service: {what}", "release", "fails, and the release before it serves again")
    victim = stage.victim(stage.trio.release(stage.trio.publish(f"bad-{habit}", habit)))
    said = victim.wait()
    assert said.code == 1, said.all
    assert said.errors[0].startswith(error), said.err
    assert words in said.err
    assert f"Rolled back: release {runs} runs on" in said.err
    stage.ended_well(before, runs)
    assert stage.state(victim) == "FAILED"


@pytest.mark.parametrize("what", GOOD)
def test_a_release_that_only_looks_bad_is_let_through(what: str, stage: DropletScenario) -> None:
    _, before = stage.settle()
    habit, once = GOOD[what]
    stage.says(f"a service: {what}", "release", "the new release is good")
    tag = stage.trio.publish(f"good-{habit}", habit, once=once)
    said = stage.victim(stage.trio.release(tag)).wait()
    assert said.code == 0, said.all
    stage.ended_well(before, tag)


def test_a_secret_in_the_logs_of_a_bad_service_is_masked(stage: DropletScenario) -> None:
    runs, before = stage.settle()
    stage.says("a service that tells its secret, and is not healthy", "release", "gone back, and the secret is masked")
    victim = stage.victim(stage.trio.release(stage.trio.publish("bad-tells", TELLS)))
    said = victim.wait()
    assert said.code == 1, said.all
    assert "my token is" in said.err
    assert stage.trio.token not in said.all
    assert stage.trio.token not in "".join(stage.trio.droplet.sh(f"cat {stage.trio.droplet.home}/history/*"))
    stage.ended_well(before, runs)
