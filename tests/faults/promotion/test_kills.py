"""A promoter that is killed leaves one colour, no lock, and something that the next promotion goes on from."""

import signal

import pytest

from flows.core.steps import Step
from tests.faults.harness.blue_green import SECOND, BlueGreenScenario

pytestmark = pytest.mark.faults
KILLED, ENDED = -signal.SIGKILL, 130
READ, LOOK, TURN, PROBE = (step.value for step in (Step.READ_SWITCH, Step.LOOK, Step.TURN, Step.PROBE_SWITCH))
# Where it is killed, and whether traffic has moved by then.
POINTS = [
    ("before", READ, 1, False),
    ("before", LOOK, 2, False),
    ("before", Step.HEALTH.value, 1, False),
    ("before", Step.WORKFLOWS.value, 1, False),
    ("before", TURN, 1, False),
    ("after", TURN, 1, True),
    ("before", PROBE, 1, True),
    ("after", PROBE, 1, True),
    ("before", LOOK, 3, True),  # the first reading of the watch
    ("before", Step.HEALTH.value, 3, True),
]
PUTTING = [("before", Step.START.value), ("before", Step.KEEP_RECORD.value), ("before", Step.WORKFLOWS.value)]
DELAYS = (0.0, 0.01, 0.03)


def _id(point: tuple[object, ...]) -> str:
    when, step, nth = point[:3]
    return f"{when} {step}" + (f" ({nth})" if nth != 1 else "")


@pytest.mark.parametrize("point", POINTS, ids=_id)
def test_killed(point: tuple[str, str, int, bool], pair: BlueGreenScenario) -> None:
    start = pair.settle()
    when, step, nth, moved = point
    pair.says("promotion killed (SIGKILL)", _id(point), _told(moved))
    process = pair.start_process(pair.promote("--watch", "3"), when=when, step=step, nth=nth, act="SIGKILL")
    said = process.wait()
    assert said.code == KILLED, said.all
    pair.ended_well(start, start.idle if moved else start.active)
    if step in (TURN, PROBE):
        pair.goes_on(start)


@pytest.mark.parametrize("delay", DELAYS)
def test_killed_while_it_turns(delay: float, pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("promotion killed (SIGKILL)", f"{delay} s into turn the switch", "one of the two colours, both are well")
    command = {"when": "during", "step": TURN, "command": "slipway-switch", "delay": delay}
    process = pair.start_process(pair.promote("--watch", "3"), act="SIGKILL", **command)
    said = process.wait()
    assert said.code == KILLED, said.all
    pair.edge.settle()
    (colour,) = pair.edge.files()
    pair.ended_well(start, colour)
    pair.done(pair.words("switch-back"))


@pytest.mark.parametrize("point", PUTTING, ids=" ".join)
def test_killed_while_it_puts_a_release_there(point: tuple[str, str], pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("promotion of a tag killed (SIGKILL)", f"{' '.join(point)} on the idle colour", _told(False))
    tag = "v1" if start.tags[start.idle] == SECOND else SECOND
    process = pair.start_process(pair.promote("--tag", tag), when=point[0], step=point[1], act="SIGKILL")
    said = process.wait()
    assert said.code == KILLED, said.all
    assert pair.edge.mark() == start.mark
    pair.ended_well(start, start.active)
    pair.goes_on(start, tag)


@pytest.mark.parametrize("point", [POINTS[4], POINTS[6], POINTS[8]], ids=_id)
def test_terminated(point: tuple[str, str, int, bool], pair: BlueGreenScenario) -> None:
    start = pair.settle()
    when, step, nth, moved = point
    pair.says("promotion ended (SIGTERM)", _id(point), _told(moved))
    process = pair.start_process(pair.promote("--watch", "3"), when=when, step=step, nth=nth, act="SIGTERM")
    said = process.wait()
    assert said.code == ENDED, said.all
    assert pair.state(process) == "CRASHED"
    pair.ended_well(start, start.idle if moved else start.active)
    pair.goes_on(start)


def test_terminated_when_the_new_colour_is_unhealthy(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("promotion ended (SIGTERM); the candidate is unhealthy", _id(POINTS[8]), "its hook sends traffic back")
    process = pair.start_process(pair.promote("--watch", "3"), when="after", step=PROBE)
    process.held()
    pair.make_unhealthy(start.idle)
    process.send(signal.SIGTERM)
    process.go()
    said = process.wait()
    assert said.code == ENDED, said.all
    pair.ended_well(start, start.active)
    pair.heal(start.idle)
    pair.goes_on(start)


def test_killed_when_the_new_colour_is_unhealthy(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says(
        "promotion killed (SIGKILL); the candidate is unhealthy", _id(POINTS[7]), "`slipway watch` sends traffic back"
    )
    process = pair.start_process(pair.promote("--watch", "3"), when="after", step=PROBE)
    process.held()
    pair.make_unhealthy(start.idle)
    process.end()
    assert pair.say(pair.words("watch", "--watch", "0")).errors[0].startswith("SwitchedBack: ")
    pair.ended_well(start, start.active)
    pair.heal(start.idle)
    pair.goes_on(start)


def _told(moved: bool) -> str:
    return f"traffic is on the {'new' if moved else 'old'} colour, which is well; no lock; the next one works"
