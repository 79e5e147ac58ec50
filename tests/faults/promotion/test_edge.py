"""The edge on the droplet of both colours: its container goes away, comes back, or is replaced, and traffic is told."""

from typing import cast

import pytest

from flows.core.steps import Step
from tests.faults.harness.blue_green import FIRST_READING, BlueGreenScenario, refused
from tests.faults.harness.doubles.droplet_edge import DropletEdge
from tests.faults.harness.invariants import newest
from tests.faults.harness.one_droplet_setup import edge_image, stands

pytestmark = pytest.mark.faults
BEFORE_TURN = {"when": "before", "step": Step.TURN.value}
AFTER_TURN = {"when": "after", "step": Step.TURN.value}
BEFORE_PROBE = {"when": "before", "step": Step.PROBE_SWITCH.value}
SOON = {"SLIPWAY_SWITCH_TIMEOUT": "1"}


def _edge(shared: BlueGreenScenario) -> DropletEdge:
    return cast(DropletEdge, shared.edge)


@pytest.mark.parametrize("how", ["stopped", "paused"])
@pytest.mark.parametrize("when", ["before anything", "before turn the switch", "after turn the switch"])
def test_it_is_down(when: str, how: str, shared: BlueGreenScenario) -> None:
    start = shared.settle()
    shared.says(f"the edge's container is {how}", when, "told; turned back, so the old colour is served afterwards")
    edge = _edge(shared)
    point = {"before turn the switch": BEFORE_TURN, "after turn the switch": AFTER_TURN}.get(when, {})
    away = edge.stop if how == "stopped" else edge.pause
    if not point:
        away()
    process = shared.start_process(shared.promote(), SOON, **point)
    if point:
        process.held()
        away()
        process.go()
    said = process.wait()
    if point:  # it was asked right before
        words = (f"{start.idle} does not answer through", f"it points at {start.active}", "itself first")
        refused(said, "BothColoursUnhealthy", *words, code=1)
    else:
        words = ("does not answer", "Traffic was not moved, and no release is to blame")
        refused(said, "SwitchSilent", *words)
        assert edge.mark() == start.mark
    assert newest(shared.sides[start.idle])["outcome"] != "failed"
    (edge.start if how == "stopped" else edge.unpause)()
    shared.ended_well(start, start.active)
    shared.goes_on(start)


@pytest.mark.parametrize(
    "point", [BEFORE_TURN, AFTER_TURN, BEFORE_PROBE, FIRST_READING], ids=lambda p: f"{p['when']} {p['step']}"
)
def test_it_is_killed_and_started_by_the_engine(point: dict[str, object], shared: BlueGreenScenario) -> None:
    start = shared.settle()
    shared.says("the edge's process is killed", f"{point['when']} {point['step']}", "promoted; one colour")
    process = shared.start_process(shared.promote("--watch", "1"), {"SLIPWAY_SWITCH_TIMEOUT": "20"}, **point)
    process.held()
    _edge(shared).crash()
    process.go()
    said = process.wait()
    assert said.code == 0, said.all
    shared.edge.ready()
    shared.ended_well(start, start.idle)
    stands(shared)


def test_it_is_upgraded_while_a_promotion_watches(shared: BlueGreenScenario) -> None:
    start = shared.settle()
    shared.says("the edge is upgraded", "watch", "refused while a promotion changes the droplet; then done")
    edge, upgrade = _edge(shared), _upgrade(shared, "second")
    before = edge.image()
    process = shared.start_process(shared.promote("--watch", "1"), **FIRST_READING)
    process.held()
    refused(shared.say(upgrade), "DropletBusy", f"promotion of {shared.stack}")
    process.go()
    said = process.wait()
    assert said.code == 0, said.all
    assert edge.image() == before
    shared.done(upgrade)
    assert edge.image() != before
    shared.ended_well(start, start.idle)
    stands(shared)


def test_it_is_upgraded_while_somebody_watches(shared: BlueGreenScenario) -> None:
    start = shared.settle()
    shared.says("the edge is upgraded", "slipway watch", "done; the watch sees no fault, and traffic stays")
    edge = _edge(shared)
    before = edge.image()
    process = shared.start_process(
        shared.words("watch", "--watch", "3"), when="before", step=Step.HEALTH.value, flow="watch"
    )
    process.held()
    shared.done(_upgrade(shared, "third"))
    process.go()
    said = process.wait()
    assert said.code == 0, said.all
    assert edge.image() != before
    assert edge.mark() == start.mark
    shared.ended_well(start, start.active)
    stands(shared)
    shared.goes_on(start)


def _upgrade(shared: BlueGreenScenario, tag: str) -> list[str]:
    registry = shared.sides["green"].registry
    return ["edge", "setup", f"{shared.stack}-prod", "--image", edge_image(registry, shared.place, tag), "--yes"]
