"""A run that is killed before and after every step is finished or undone: by its own hook, or by what comes next."""

import signal

import pytest

from flows.core.steps import DEPLOY, ROLLBACK, Step
from tests.faults.harness.interruption_points import DEPLOY_POINTS, ROLLBACK_POINTS, Point
from tests.faults.harness.scenario import DropletScenario, other

pytestmark = pytest.mark.faults
STARTING = {"when": "during", "step": Step.START.value, "command": " up "}
KILLED, ENDED = -signal.SIGKILL, 130
# A deploy ends with its first record; what comes after that takes a whole release.
IN_DEPLOY = [point for point in DEPLOY_POINTS if not point.passed(Step.KEEP_RECORD)]


# Seconds after `docker compose up` has begun: old containers stop, new ones are made, renamed, started.
IN_THE_MIDDLE = (0.1, 0.4, 0.7, 1.0)


def test_the_steps_of_a_release_are_those_on_the_list(scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    process = scenario.start_process(scenario.stack.release(other(runs)))
    said = process.wait()
    assert said.code == 0, said.all
    taken = [task for flow, task in process.steps() if flow in ("deploy", "validate")]
    assert taken[taken.index(DEPLOY[0].value) :] == [step.value for step in DEPLOY]
    scenario.ended_well(before, other(runs))


def test_the_steps_of_a_rollback_are_those_on_the_list(scenario: DropletScenario) -> None:
    runs, before = scenario.settle(way_back=True)
    process = scenario.start_process(scenario.stack.words("rollback"))
    said = process.wait()
    assert said.code == 0, said.all
    assert [task for _, task in process.steps()] == [step.value for step in ROLLBACK]
    scenario.ended_well(before, other(runs))


@pytest.mark.parametrize("point", DEPLOY_POINTS, ids=str)
def test_a_killed_release_is_finished_or_undone_by_reconcile(point: Point, scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    wanted = other(runs) if point.passed(Step.KEEP_RECORD) else runs
    scenario.says("release killed (SIGKILL), then reconcile", point, _told(wanted, runs))
    process = scenario.start_process(_release(scenario, other(runs), point), act="SIGKILL", **point.fault)
    said = process.wait()
    assert said.code == KILLED, said.all
    scenario.done(scenario.stack.words("reconcile"))
    scenario.ended_well(before, wanted)
    if point.passed(Step.SWITCH) and not point.done:
        assert scenario.state(process) == "CRASHED"


@pytest.mark.parametrize("point", IN_DEPLOY, ids=str)
def test_a_killed_release_is_finished_by_the_next_one(point: Point, scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    scenario.says("release killed (SIGKILL), then again", point, "the new release is good")
    said = scenario.start_process(scenario.stack.deploy(other(runs)), act="SIGKILL", **point.fault).wait()
    assert said.code == KILLED, said.all
    scenario.done(scenario.stack.deploy(other(runs)))
    scenario.done(scenario.stack.words("validate"))
    scenario.ended_well(before, other(runs))


@pytest.mark.parametrize("point", DEPLOY_POINTS, ids=str)
def test_a_terminated_release_is_finished_or_undone_by_its_own_hook(point: Point, scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    wanted = other(runs) if point.passed(Step.KEEP_RECORD) else runs
    scenario.says("release ended (SIGTERM)", point, _told(wanted, runs))
    process = scenario.start_process(_release(scenario, other(runs), point), act="SIGTERM", **point.fault)
    said = process.wait()
    assert said.code == ENDED, said.all
    scenario.ended_well(before, wanted)
    assert scenario.state(process) == "CRASHED"


@pytest.mark.parametrize("delay", IN_THE_MIDDLE)
def test_a_run_killed_in_the_middle_of_the_start_is_undone_by_reconcile(
    delay: float, scenario: DropletScenario
) -> None:
    runs, before = scenario.settle()
    scenario.says("release killed (SIGKILL), then reconcile", f"{delay} s into the start", _told(runs, runs))
    process = scenario.start_process(scenario.stack.deploy(other(runs)), act="SIGKILL", delay=delay, **STARTING)
    said = process.wait()
    assert said.code == KILLED, said.all
    scenario.done(scenario.stack.words("reconcile"))
    scenario.ended_well(before, runs)


@pytest.mark.parametrize("delay", IN_THE_MIDDLE)
def test_a_run_killed_in_the_middle_of_the_start_is_finished_by_the_next_one(
    delay: float, scenario: DropletScenario
) -> None:
    runs, before = scenario.settle()
    scenario.says("release killed (SIGKILL), then again", f"{delay} s into the start", "the new release is good")
    process = scenario.start_process(scenario.stack.deploy(other(runs)), act="SIGKILL", delay=delay, **STARTING)
    said = process.wait()
    assert said.code == KILLED, said.all
    scenario.done(scenario.stack.release(other(runs)))
    scenario.ended_well(before, other(runs))


@pytest.mark.parametrize("delay", IN_THE_MIDDLE)
def test_a_run_terminated_in_the_middle_of_the_start_is_undone_by_its_own_hook(
    delay: float, scenario: DropletScenario
) -> None:
    runs, before = scenario.settle()
    scenario.says("release ended (SIGTERM)", f"{delay} s into the start", _told(runs, runs))
    process = scenario.start_process(scenario.stack.deploy(other(runs)), act="SIGTERM", delay=delay, **STARTING)
    said = process.wait()
    assert said.code == ENDED, said.all
    scenario.ended_well(before, runs)


@pytest.mark.parametrize("point", ROLLBACK_POINTS, ids=str)
def test_a_killed_rollback_is_finished_by_reconcile(point: Point, scenario: DropletScenario) -> None:
    runs, before = scenario.settle(way_back=True)
    wanted = other(runs) if point.passed(Step.SWITCH) else runs
    scenario.says(
        "rollback killed (SIGKILL), then reconcile", point, "it is finished" if wanted != runs else "no change"
    )
    said = scenario.start_process(scenario.stack.words("rollback"), act="SIGKILL", **point.fault).wait()
    assert said.code == KILLED, said.all
    scenario.done(scenario.stack.words("reconcile"))
    scenario.ended_well(before, wanted)


@pytest.mark.parametrize("point", ROLLBACK_POINTS, ids=str)
def test_a_terminated_rollback_is_finished_by_its_own_hook(point: Point, scenario: DropletScenario) -> None:
    runs, before = scenario.settle(way_back=True)
    wanted = other(runs) if point.passed(Step.SWITCH) else runs
    scenario.says("rollback ended (SIGTERM)", point, "it is finished" if wanted != runs else "no change")
    process = scenario.start_process(scenario.stack.words("rollback"), act="SIGTERM", **point.fault)
    said = process.wait()
    assert said.code == ENDED, said.all
    scenario.ended_well(before, wanted)
    assert scenario.state(process) == "CRASHED"


def _release(scenario: DropletScenario, tag: str, point: Point) -> list[str]:
    return scenario.stack.release(tag) if point.passed(Step.KEEP_RECORD) else scenario.stack.deploy(tag)


def _told(wanted: str, runs: str) -> str:
    return "the new release is good" if wanted != runs else "the release before it serves"
