"""A run of the worker that is cancelled through Prefect's API at every point is finished or undone by its hook."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fault import Fault

from flows.core.steps import Step
from tests.faults.harness.interruption_points import DEPLOY_POINTS, ROLLBACK_POINTS, Point
from tests.faults.harness.invariants import newest, when
from tests.faults.harness.scenario import DropletScenario, other
from tests.faults.harness.worker_run import WorkerRun, copied_deployment

pytestmark = pytest.mark.faults
# After the last step there is nothing to cancel.
IN_RELEASE = [point for point in DEPLOY_POINTS if not point.done]
IN_ROLLBACK = [point for point in ROLLBACK_POINTS if not point.done]
HOOKS = 60.0


@pytest.mark.parametrize("point", IN_RELEASE, ids=str)
def test_a_cancelled_release_is_finished_or_undone(point: Point, scenario: DropletScenario, open_pool: str) -> None:
    runs, before = scenario.settle()
    wanted = other(runs) if point.passed(Step.KEEP_RECORD) else runs
    told = "the new release is good" if wanted != runs else "the release before it serves"
    scenario.says("release cancelled from the API", point, told)
    flow = "release" if point.passed(Step.KEEP_RECORD) else "deploy"
    stack = str(scenario.stack.source(other(runs))) if flow == "release" else scenario.stack.name
    with _held(scenario, open_pool, flow, {"tag": other(runs), "stack": stack}, point) as run:
        run.cancel()
        assert run.final() == "CANCELLED"
        if point.passed(Step.SWITCH):
            when(lambda: newest(scenario.stack)["outcome"] == "good", HOOKS)
    scenario.ended_well(before, wanted, HOOKS)


@pytest.mark.parametrize("point", IN_ROLLBACK, ids=str)
def test_a_cancelled_rollback_is_finished(point: Point, scenario: DropletScenario, open_pool: str) -> None:
    runs, before = scenario.settle(way_back=True)
    wanted = other(runs) if point.passed(Step.SWITCH) else runs
    scenario.says("rollback cancelled from the API", point, "it is finished" if wanted != runs else "no change")
    with _held(scenario, open_pool, "rollback", {"stack": scenario.stack.name}, point) as run:
        run.cancel()
        assert run.final() == "CANCELLED"
        if point.passed(Step.SWITCH):
            when(lambda: newest(scenario.stack)["outcome"] == "good", HOOKS)
    scenario.ended_well(before, wanted, HOOKS)


@contextmanager
def _held(
    scenario: DropletScenario, pool: str, flow: str, parameters: dict[str, str], point: Point
) -> Iterator[WorkerRun]:
    """A run of this pool's worker that has reached the point."""
    place = scenario.new_place()
    with copied_deployment(flow, pool) as deployment:
        parameters = {**parameters, "droplet": scenario.stack.block}
        run = deployment.run(parameters, scenario.stack.settings, Fault(str(place), **point.fault))
        run.held()
        yield run
