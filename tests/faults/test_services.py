"""Releases whose services misbehave: what is bad is gone back from, what only looks bad is let through."""

import pytest

from tests.faults.harness.scenario import DropletScenario
from tests.stacks.three_services import CRASHES, LIES, SLOW, TELLS, UNHEALTHY, WELL

pytestmark = pytest.mark.faults
# The habit of the web, the error that is told, and a part of its last words.
BAD = {
    "never healthy": (UNHEALTHY, "ServicesNotReady", "no map yet"),
    "crash-loops": (CRASHES, "", "cannot find its map"),
    "its workflow fails": (LIES, "ValidationFailed", "500"),
}
GOOD = {"slow, but healthy within its start period": (SLOW, False), "a one-shot exits 0": (WELL, True)}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_release_is_gone_back_from(what: str, scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    behaviour, error, words = BAD[what]
    scenario.says(f"a service: {what}", "release", "fails, and the release before it serves again")
    process = scenario.start_process(scenario.stack.release(scenario.stack.publish(f"bad-{behaviour}", behaviour)))
    said = process.wait()
    assert said.code == 1, said.all
    assert said.errors[0].startswith(error), said.err
    assert words in said.err
    assert f"Rolled back: release {runs} runs on" in said.err
    scenario.ended_well(before, runs)
    assert scenario.state(process) == "FAILED"


@pytest.mark.parametrize("what", GOOD)
def test_a_release_that_only_looks_bad_is_let_through(what: str, scenario: DropletScenario) -> None:
    _, before = scenario.settle()
    behaviour, once = GOOD[what]
    scenario.says(f"a service: {what}", "release", "the new release is good")
    tag = scenario.stack.publish(f"good-{behaviour}", behaviour, once=once)
    said = scenario.start_process(scenario.stack.release(tag)).wait()
    assert said.code == 0, said.all
    scenario.ended_well(before, tag)


def test_a_secret_in_the_logs_of_a_bad_service_is_masked(scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    scenario.says(
        "a service that tells its secret, and is not healthy", "release", "gone back, and the secret is masked"
    )
    process = scenario.start_process(scenario.stack.release(scenario.stack.publish("bad-tells", TELLS)))
    said = process.wait()
    assert said.code == 1, said.all
    assert "my token is" in said.err
    assert scenario.stack.token not in said.all
    assert scenario.stack.token not in "".join(
        scenario.stack.droplet.sh(f"cat {scenario.stack.droplet.home}/history/*")
    )
    scenario.ended_well(before, runs)
