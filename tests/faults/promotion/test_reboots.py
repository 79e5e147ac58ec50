"""The droplet that has both colours, the data home and the edge is rebooted in the middle of a promotion."""

import pytest

from flows.core.steps import Step
from tests.faults.harness.blue_green import FIRST, SECOND, BlueGreenScenario, StartState
from tests.faults.harness.invariants import eventually
from tests.faults.harness.one_droplet_setup import stands
from tests.faults.harness.slipway_process import SlipwayProcess

pytestmark = pytest.mark.faults
# The steps of putting the release on the idle colour, and of judging it; traffic stays where it is.
PUTTING = [
    ("before", step, 1)
    for step in (
        Step.START, Step.PREFLIGHT, Step.PUT_FILES, Step.MEMORY, Step.PULL, Step.SWITCH, Step.WAIT, Step.PROVE,
        Step.KEEP_RECORD, Step.HEALTH, Step.WORKFLOWS,
    )
]  # fmt: skip
JUDGING = [("before", Step.TURN, 1), ("before", Step.LOOK, 2), ("before", Step.HEALTH, 2)]
# Traffic has moved: it stays on the new colour, or has gone back, when that did not come up again in time.
TURNED = [("after", Step.TURN, 1), ("before", Step.PROBE_SWITCH, 1), ("before", Step.LOOK, 3)]
Point = tuple[str, Step, int]


def _id(point: Point) -> str:
    when, step, nth = point
    return f"{when} {step.value}" + (f" ({nth})" if nth != 1 else "")


def _rebooted(pair: BlueGreenScenario, start: StartState, point: Point, expected: str) -> tuple[SlipwayProcess, str]:
    """A promotion in the middle of which the droplet is rebooted; and the tag it promotes."""
    pair.says("the droplet is rebooted", _id(point), expected)
    tag = FIRST if start.tags[start.idle] == SECOND else SECOND
    when, step, nth = point
    process = pair.start_process(pair.promote("--tag", tag, "--watch", "2"), when=when, step=step.value, nth=nth)
    process.held()
    _reboot(pair)
    process.go()
    return process, tag


def _reboot(pair: BlueGreenScenario) -> None:
    assert pair.shared
    pair.shared.reboot()
    pair.shared.ready()


def _ended(pair: BlueGreenScenario, process: SlipwayProcess) -> int:
    """It ends and says why; everything that the engine starts by itself is up again."""
    said = process.wait()
    assert said.code == 0 or said.errors, said.all
    pair.edge.ready()
    eventually(lambda: pair.edge.through()[0], 200, 60.0)
    pair.looked_at()
    # The name of who held the lock outlives the loss of power. The lock does not, and that is what counts.
    at = pair.home.directory
    pair.home.sh(f"flock -n {at}/lock rm -f {at}/lock.holder {at}/lock.busy")
    return said.code


@pytest.mark.parametrize("point", PUTTING, ids=_id)
def test_while_a_release_is_put_there(point: Point, shared: BlueGreenScenario) -> None:
    start = shared.settle()
    process, tag = _rebooted(shared, start, point, "the old colour serves, or the new one when all went well; goes on")
    code = _ended(shared, process)
    assert shared.edge.files() == [start.idle if code == 0 else start.active]
    shared.ended_well(start, shared.edge.files()[0], tag if code == 0 else None)
    shared.goes_on(start, tag)
    stands(shared)


@pytest.mark.parametrize("point", JUDGING, ids=_id)
def test_before_the_turn(point: Point, shared: BlueGreenScenario) -> None:
    start = shared.settle()
    process, tag = _rebooted(shared, start, point, "the old colour serves, or the new one when all went well; goes on")
    code = _ended(shared, process)
    (colour,) = shared.edge.files()
    assert (colour == start.idle) == (code == 0)
    shared.ended_well(start, colour, tag if code == 0 else None)
    stands(shared)
    shared.goes_on(start, tag)


@pytest.mark.parametrize("point", TURNED, ids=_id)
def test_after_the_turn(point: Point, shared: BlueGreenScenario) -> None:
    start = shared.settle()
    process, tag = _rebooted(shared, start, point, "one of the two colours serves, both are well; goes on")
    _ended(shared, process)
    (colour,) = shared.edge.files()
    shared.ended_well(start, colour, tag if colour == start.idle else None)
    stands(shared)
    shared.goes_on(start, tag)


def test_while_the_old_colour_sleeps(shared: BlueGreenScenario) -> None:
    start = shared.settle()
    shared.says("the droplet is rebooted", "the old colour sleeps", "it sleeps on; switch-back wakes it")
    never = {"SLIPWAY_KEEP_WARM": "never"}
    assert f"{start.active} is asleep" in shared.done(shared.promote(), never).out
    _reboot(shared)
    eventually(lambda: shared.edge.through()[0], 200, 60.0)
    shared.ended_well(start, start.idle)
    there = shared.sides[start.active].droplet.containers()
    assert {one["State"]["Status"] for one in there.values()} == {"exited"}
    assert "woken after " in shared.done(shared.words("switch-back"), never).out
    shared.ended_well(start, start.active)
    stands(shared)
