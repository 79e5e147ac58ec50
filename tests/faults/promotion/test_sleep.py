"""The colour that traffic left goes to sleep and is woken again, and each may end in between."""

import signal

import pytest

from flows.core.steps import Step
from tests.faults.harness.blue_green import LYING, BlueGreenScenario, StartState, refused
from tests.faults.harness.invariants import eventually

pytestmark = pytest.mark.faults
KILLED = -signal.SIGKILL
NEVER = {"SLIPWAY_KEEP_WARM": "never"}


def running(pair: BlueGreenScenario, colour: str) -> set[str]:
    """The services of a colour that run."""
    containers = pair.sides[colour].droplet.containers().items()
    return {name for name, one in containers if one["State"]["Status"] == "running"}


def asleep(pair: BlueGreenScenario, start: StartState) -> None:
    """Traffic is on the new colour, and the old one's containers are there, stopped, and no fault."""
    pair.ended_well(start, start.idle)
    eventually(lambda: running(pair, start.active), set(), 5.0)
    assert "web" in pair.sides[start.active].droplet.containers()
    refused(
        pair.say(pair.words("validate", "--droplet", pair.block(start.active)), NEVER), "ColourAsleep", "switch-back"
    )
    said = pair.done(pair.words("reconcile", "--droplet", pair.block(start.active)), NEVER).out
    assert "nothing to do" in said
    assert "is asleep" in said


def comes_back(pair: BlueGreenScenario, start: StartState, ran: set[str]) -> None:
    """Sent back, traffic reaches the old colour, which runs what it ran."""
    said = pair.done(pair.words("switch-back"), NEVER).out
    assert "woken after " in said
    pair.ended_well(start, start.active)
    assert running(pair, start.active) == ran
    pair.done(pair.words("validate", "--droplet", pair.block(start.active)))


def test_the_old_colour_sleeps_after_the_watch_and_traffic_comes_back_to_it(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("the old colour goes to sleep", "after the watch", "stopped, not removed; switch-back wakes it")
    ran = running(pair, start.active)
    assert f"{start.active} is asleep" in pair.done(pair.promote("--watch", "1"), NEVER).out
    asleep(pair, start)
    comes_back(pair, start, ran)


def test_a_release_that_fails_on_a_colour_that_sleeps_gives_way_to_what_slept_there(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("a release that lies is put on the sleeping colour", "validate", "it goes back, and sleeps again")
    ran = running(pair, start.active)
    pair.done(pair.promote(), NEVER)
    said = pair.say(pair.promote("--tag", LYING), NEVER)
    refused(said, "ValidationFailed", code=1)
    asleep(pair, start)
    comes_back(pair, start, ran)


@pytest.mark.parametrize(
    "fault",
    [{"when": "before"}, {"when": "during", "command": " stop", "delay": 0.2}],
    ids=["before", "while it stops"],
)
def test_killed_while_it_goes_to_sleep(fault: dict[str, object], pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("promotion killed (SIGKILL)", f"{fault['when']} put to sleep", "traffic is on the new colour; mended")
    ran = running(pair, start.active)
    process = pair.start_process(pair.promote(), NEVER, step=Step.SLEEP.value, act="SIGKILL", **fault)
    assert process.wait().code == KILLED
    pair.ended_well(start, start.idle)
    pair.done(pair.words("reconcile", "--droplet", pair.block(start.active)), NEVER)
    if fault["when"] == "during":
        asleep(pair, start)
        comes_back(pair, start, ran)
    assert running(pair, start.active) == ran
    pair.goes_on(start)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_it_is_woken(when: str, pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("switch-back killed (SIGKILL)", f"{when} wake up", "traffic stays; the next one wakes it and goes there")
    ran = running(pair, start.active)
    pair.done(pair.promote(), NEVER)
    process = pair.start_process(pair.words("switch-back"), NEVER, when=when, step=Step.WAKE.value, act="SIGKILL")
    assert process.wait().code == KILLED
    pair.ended_well(start, start.idle)
    comes_back(pair, start, ran)


def test_somebody_sends_traffic_back_while_it_is_kept_warm(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("traffic is sent back while the old colour is kept warm", "kept warm", "nothing is stopped")
    ran = running(pair, start.active)
    process = pair.start_process(pair.promote(), {"SLIPWAY_KEEP_WARM": "600"})
    eventually(pair.edge.files, [start.idle], 60.0)
    pair.done(pair.words("switch-back"), {"SLIPWAY_KEEP_WARM": "600"})
    process.wait()
    pair.ended_well(start, start.active)
    assert running(pair, start.active) == ran
