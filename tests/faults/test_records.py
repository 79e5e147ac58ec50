"""What a droplet keeps is damaged: images removed by hand, a record that cannot be read, a clock that is wrong."""

import pytest

from tests.faults.harness.invariants import assert_nothing_lost, newest, records
from tests.faults.harness.scenario import DropletScenario, other

pytestmark = pytest.mark.faults
HOUR = 3600.0


def test_a_rollback_pulls_images_that_were_removed_by_hand(stage: DropletScenario) -> None:
    runs, before = stage.settle(way_back=True)
    stage.says("the old release's images are removed by hand", "rollback", "pulled by digest, the old release serves")
    stage.forget_images()
    said = stage.done(stage.trio.words("rollback"))
    assert "pull what is missing" in said.out
    stage.ended_well(before, other(runs))


def test_a_failed_release_goes_back_to_images_that_were_removed_by_hand(stage: DropletScenario) -> None:
    runs, before = stage.settle()
    stage.says("the old release's images are removed by hand", "release fails", "pulled by digest, gone back")
    tag = stage.trio.publish("bad-crashes", "crashes")
    victim = stage.victim(stage.trio.deploy(tag), when="before", step="wait until ready")
    victim.held()
    stage.forget_images()
    victim.go()
    said = victim.wait()
    assert said.code == 1, said.all
    assert f"Rolled back: release {runs} runs on" in said.err
    stage.ended_well(before, runs)


@pytest.mark.parametrize("what", ["half of it", "nothing", "no record"])
@pytest.mark.parametrize("command", ["deploy", "rollback", "reconcile"])
def test_a_damaged_record_stops_nobody(command: str, what: str, stage: DropletScenario) -> None:
    runs, before = stage.settle(way_back=True)
    stage.says(f"the newest record is damaged: {what}", command, "goes on; what it does is on record")
    number = newest(stage.trio)["number"]
    file = f"{stage.trio.droplet.home}/history/{number:06d}.json"
    harm = {"half of it": f"truncate -s 100 {file}", "nothing": f": >{file}", "no record": f"echo '[1, 2]' >{file}"}
    stage.trio.droplet.sh(harm[what])
    words = stage.trio.deploy(other(runs)) if command == "deploy" else stage.trio.words(command)
    stage.done(words)
    if command == "deploy":
        stage.done(stage.trio.words("validate"))
    stage.trio.droplet.sh(f"rm {file}")
    if command == "reconcile":
        assert_nothing_lost(stage.trio, before, runs)
    else:
        assert newest(stage.trio)["number"] == number + 1
        stage.ended_well(before, other(runs))


@pytest.mark.parametrize("clock", [HOUR, -HOUR], ids=["ahead", "behind"])
def test_a_clock_that_is_off_by_an_hour_changes_nothing(clock: float, stage: DropletScenario) -> None:
    runs, before = stage.settle(way_back=True)
    stage.says(f"the clock is off by {clock:+.0f} s", "release, killed and put right", "as with a right clock")
    numbers = [record["number"] for record in records(stage.trio)]
    victim = stage.victim(stage.trio.release(other(runs)), clock=clock)
    said = victim.wait()
    assert said.code == 0, said.all
    stage.ended_well(before, other(runs))
    stage.victim(stage.trio.deploy(runs), when="after", step="start services", act="SIGKILL").wait()
    said = stage.victim(stage.trio.words("reconcile"), clock=-clock).wait()
    assert said.code == 0, said.all
    stage.ended_well(before, other(runs))
    assert [record["number"] for record in records(stage.trio)][: len(numbers)] == numbers
