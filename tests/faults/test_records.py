"""What a droplet keeps is damaged: images removed by hand, a record that cannot be read, a clock that is wrong."""

import pytest

from tests.faults.harness.invariants import assert_nothing_lost, newest, records
from tests.faults.harness.scenario import DropletScenario, other

pytestmark = pytest.mark.faults
HOUR = 3600.0


def test_a_rollback_pulls_images_that_were_removed_by_hand(scenario: DropletScenario) -> None:
    runs, before = scenario.settle(way_back=True)
    scenario.says(
        "the old release's images are removed by hand", "rollback", "pulled by digest, the old release serves"
    )
    scenario.forget_images()
    said = scenario.done(scenario.stack.words("rollback"))
    assert "pull what is missing" in said.out
    scenario.ended_well(before, other(runs))


def test_a_failed_release_goes_back_to_images_that_were_removed_by_hand(scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    scenario.says("the old release's images are removed by hand", "release fails", "pulled by digest, gone back")
    tag = scenario.stack.publish("bad-crashes", "crashes")
    process = scenario.start_process(scenario.stack.deploy(tag), when="before", step="wait until ready")
    process.held()
    scenario.forget_images()
    process.go()
    said = process.wait()
    assert said.code == 1, said.all
    assert f"Rolled back: release {runs} runs on" in said.err
    scenario.ended_well(before, runs)


@pytest.mark.parametrize("damage", ["half of it", "nothing", "no record"])
@pytest.mark.parametrize("command", ["deploy", "rollback", "reconcile"])
def test_a_damaged_record_stops_nobody(command: str, damage: str, scenario: DropletScenario) -> None:
    runs, before = scenario.settle(way_back=True)
    scenario.says(f"the newest record is damaged: {damage}", command, "goes on; what it does is on record")
    number = newest(scenario.stack)["number"]
    file = f"{scenario.stack.droplet.home}/history/{number:06d}.json"
    harm = {"half of it": f"truncate -s 100 {file}", "nothing": f": >{file}", "no record": f"echo '[1, 2]' >{file}"}
    scenario.stack.droplet.sh(harm[damage])
    words = scenario.stack.deploy(other(runs)) if command == "deploy" else scenario.stack.words(command)
    scenario.done(words)
    if command == "deploy":
        scenario.done(scenario.stack.words("validate"))
    scenario.stack.droplet.sh(f"rm {file}")
    if command == "reconcile":
        assert_nothing_lost(scenario.stack, before, runs)
    else:
        assert newest(scenario.stack)["number"] == number + 1
        scenario.ended_well(before, other(runs))


@pytest.mark.parametrize("clock", [HOUR, -HOUR], ids=["ahead", "behind"])
def test_a_clock_that_is_off_by_an_hour_changes_nothing(clock: float, scenario: DropletScenario) -> None:
    runs, before = scenario.settle(way_back=True)
    scenario.says(f"the clock is off by {clock:+.0f} s", "release, killed and put right", "as with a right clock")
    numbers = [record["number"] for record in records(scenario.stack)]
    process = scenario.start_process(scenario.stack.release(other(runs)), clock=clock)
    said = process.wait()
    assert said.code == 0, said.all
    scenario.ended_well(before, other(runs))
    scenario.start_process(scenario.stack.deploy(runs), when="after", step="start services", act="SIGKILL").wait()
    said = scenario.start_process(scenario.stack.words("reconcile"), clock=-clock).wait()
    assert said.code == 0, said.all
    scenario.ended_well(before, other(runs))
    assert [record["number"] for record in records(scenario.stack)][: len(numbers)] == numbers
