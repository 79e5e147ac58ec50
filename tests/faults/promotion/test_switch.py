"""The traffic switch is moved by somebody else, or goes away, while a promotion is under way."""

import pytest

from flows.core.steps import Step
from tests.faults.harness.blue_green import FIRST_READING, BlueGreenScenario, refused

pytestmark = pytest.mark.faults
BEFORE_TURN = {"when": "before", "step": Step.TURN.value}
AFTER_TURN = {"when": "after", "step": Step.TURN.value}
BEFORE_PROBE = {"when": "before", "step": Step.PROBE_SWITCH.value}
AFTER_PROBE = {"when": "after", "step": Step.PROBE_SWITCH.value}
BESIDE = "the host of the edge is that of the colours; the edge alone goes away in test_edge.py"


@pytest.mark.parametrize("how", ["there and back", "nowhere", "both"])
def test_somebody_moves_the_switch_before_the_turn(how: str, pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says(f"the switch is moved by a hand ({how})", "before turn the switch", "told by whom; not overwritten")
    process = pair.start_process(pair.promote(), **BEFORE_TURN)
    process.held()
    theirs = {"there and back": [start.active], "nowhere": [], "both": ["blue", "green"]}[how]
    pair.edge.point(*theirs, by="Grace")
    mark = pair.edge.mark()
    process.go()
    refused(process.wait(), "SwitchMoved", "was moved by", "slipway status", code=1)
    assert (pair.edge.files(), pair.edge.mark()) == (sorted(theirs), mark)
    if how == "there and back":
        pair.ended_well(start, start.active)
    else:
        pair.tidy(start)


def test_somebody_wants_the_same(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("the switch is moved to the candidate by a hand", "before turn the switch", "promoted")
    process = pair.start_process(pair.promote(), **BEFORE_TURN)
    process.held()
    pair.edge.rename(start.active, start.idle)
    process.go()
    said = process.wait()
    assert said.code == 0, said.all
    pair.ended_well(start, start.idle)


@pytest.mark.parametrize("point", [AFTER_PROBE, FIRST_READING], ids=["right after the turn", "in the watch"])
def test_somebody_moves_the_switch_back_afterwards(point: dict[str, object], pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("the switch is moved back by a hand", f"{point['when']} {point['step']}", "the watch ends; theirs stays")
    process = pair.start_process(pair.promote("--watch", "4"), **point)
    process.held()
    pair.edge.rename(start.idle, start.active)
    mark = pair.edge.mark()
    process.go()
    refused(process.wait(), "SwitchMoved", f"moved to {start.active}", code=1)
    assert pair.edge.mark() == mark
    pair.ended_well(start, start.active)


def test_a_person_switches_back_during_the_watch(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("switch-back during the watch", "watch", "it waits for nobody; the watch ends; theirs stays")
    process = pair.start_process(pair.promote("--watch", "4"), **FIRST_READING)
    process.held()
    pair.done(pair.words("switch-back"))
    process.go()
    refused(process.wait(), "SwitchMoved", f"moved to {start.active}", "switching back", code=1)
    pair.ended_well(start, start.active)


def test_two_promotions_at_once(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("two promotions at once", "before turn the switch", "one is refused and told; the other is done")
    first = pair.start_process(pair.promote(), **BEFORE_TURN)
    first.held()
    refused(pair.say(pair.promote()), "DropletBusy", f"promotion of {pair.stack}")
    first.go()
    said = first.wait()
    assert said.code == 0, said.all
    pair.ended_well(start, start.idle)


def test_the_edge_is_down_from_the_beginning(pair: BlueGreenScenario) -> None:
    pair.only_apart(BESIDE)
    start = pair.settle()
    pair.says("the edge is down", "before anything", "told; nothing was done")
    pair.edge.stop()
    refused(pair.say(pair.promote()), "Unreachable", pair.block("edge-host"))
    pair.edge.start()
    pair.untouched(start)


@pytest.mark.parametrize("how", ["stopped", "paused"])
def test_the_edge_is_down_when_it_is_to_turn(how: str, pair: BlueGreenScenario) -> None:
    pair.only_apart(BESIDE)
    start = pair.settle()
    pair.says(f"the edge is {how}", "before turn the switch", "told, with an end; one colour afterwards")
    process = pair.start_process(pair.promote(), **BEFORE_TURN)
    process.held()
    _away(pair, how)
    process.go()
    refused(process.wait(), "NotPromoted", "cannot be read now", "slipway status", code=1)
    _back(pair, how)
    (colour,) = pair.edge.files()
    assert colour == start.active or how == "paused"  # what was sent to it may be done when it wakes
    pair.ended_well(start, colour)
    pair.goes_on(start)


def test_the_edge_goes_away_after_its_turn(pair: BlueGreenScenario) -> None:
    pair.only_apart(BESIDE)
    start = pair.settle()
    pair.says("the edge is stopped", "after turn the switch", "told where to look; the new colour afterwards")
    process = pair.start_process(pair.promote(), **AFTER_TURN)
    process.held()
    pair.edge.stop()
    process.go()
    refused(process.wait(), "NotPromoted", "cannot be read now", "slipway watch", code=1)
    pair.edge.start()
    pair.done(pair.words("watch", "--watch", "0"))
    pair.ended_well(start, start.idle)
    pair.goes_on(start)


@pytest.mark.parametrize("point", [BEFORE_TURN, BEFORE_PROBE, FIRST_READING], ids=lambda p: f"{p['when']} {p['step']}")
def test_the_edge_is_restarted_in_the_middle(point: dict[str, object], pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("the edge is restarted", f"{point['when']} {point['step']}", "promoted; one colour")
    process = pair.start_process(pair.promote("--watch", "1"), **point)
    process.held()
    pair.edge.restart()
    process.go()
    said = process.wait()
    assert said.code == 0, said.all
    pair.ended_well(start, start.idle)


def test_the_new_colour_does_not_answer_through_the_edge(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("the new colour hangs", "before probe through the switch", "switched back by itself")
    process = pair.start_process(pair.promote(), {"SLIPWAY_SWITCH_TIMEOUT": "1"}, **BEFORE_PROBE)
    process.held()
    pair.make_unhealthy(start.idle, "hangs")
    process.go()
    refused(process.wait(), "SwitchedBack", f"{start.idle} does not answer through", code=1)
    pair.heal(start.idle)
    pair.ended_well(start, start.active)
    pair.goes_on(start)


def test_the_state_directory_cannot_be_used(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("the switch's directory is gone", "before turn the switch", "told; nothing was moved")
    process = pair.start_process(pair.promote(), **BEFORE_TURN)
    process.held()
    pair.edge.inside(f"mv {pair.edge.directory} {pair.edge.directory}.away")
    process.go()
    said = process.wait()
    pair.edge.inside(f"mv {pair.edge.directory}.away {pair.edge.directory}")
    refused(said, "NotPromoted", "cannot be", code=1)
    pair.ended_well(start, start.active)


def _away(pair: BlueGreenScenario, how: str) -> None:
    (pair.edge.stop if how == "stopped" else pair.edge.pause)()


def _back(pair: BlueGreenScenario, how: str) -> None:
    (pair.edge.start if how == "stopped" else pair.edge.unpause)()
