"""A run that is killed before and after every step is finished or undone by what comes next."""

import signal

import pytest
from points import DEPLOY_POINTS, ROLLBACK_POINTS, Point
from stage import Stage, other

from flows.core.steps import DEPLOY, ROLLBACK, Step

pytestmark = pytest.mark.faults
KILLED, ENDED = -signal.SIGKILL, 130


def test_the_steps_of_a_release_are_those_on_the_list(stage: Stage) -> None:
    runs, before = stage.settle()
    victim = stage.victim(stage.trio.release(other(runs)))
    said = victim.wait()
    assert said.code == 0, said.all
    taken = [task for flow, task in victim.steps() if flow in ("deploy", "validate")]
    assert taken[taken.index(DEPLOY[0].value) :] == [step.value for step in DEPLOY]
    stage.ended_well(before, other(runs))


def test_the_steps_of_a_rollback_are_those_on_the_list(stage: Stage) -> None:
    runs, before = stage.settle()
    victim = stage.victim(stage.trio.words("rollback"))
    said = victim.wait()
    assert said.code == 0, said.all
    assert [task for _, task in victim.steps()] == [step.value for step in ROLLBACK]
    stage.ended_well(before, other(runs))


@pytest.mark.parametrize("point", DEPLOY_POINTS, ids=str)
def test_a_killed_release_is_finished_or_undone_by_reconcile(point: Point, stage: Stage) -> None:
    runs, before = stage.settle()
    wanted = other(runs) if point.passed(Step.KEEP_RECORD) else runs
    stage.case.fault, stage.case.step = "release killed (SIGKILL), then reconcile", str(point)
    stage.case.expected = "the new release is good" if wanted != runs else "the release before it serves"
    said = stage.victim(_release(stage, other(runs), point), act="SIGKILL", **point.fault).wait()
    assert said.code == KILLED, said.all
    stage.done(stage.trio.words("reconcile"))
    stage.ended_well(before, wanted)


@pytest.mark.parametrize("point", DEPLOY_POINTS, ids=str)
def test_a_terminated_release_is_finished_by_the_next_one(point: Point, stage: Stage) -> None:
    runs, before = stage.settle()
    stage.case.fault, stage.case.step = "release ended (SIGTERM), then again", str(point)
    stage.case.expected = "the new release is good"
    said = stage.victim(_release(stage, other(runs), point), act="SIGTERM", **point.fault).wait()
    assert said.code == ENDED, said.all
    stage.done(stage.trio.deploy(other(runs)))
    stage.done(stage.trio.words("validate"))
    stage.ended_well(before, other(runs))


@pytest.mark.parametrize("point", ROLLBACK_POINTS, ids=str)
def test_a_killed_rollback_is_finished_by_reconcile(point: Point, stage: Stage) -> None:
    runs, before = stage.settle()
    wanted = other(runs) if point.passed(Step.SWITCH) else runs
    stage.case.fault, stage.case.step = "rollback killed (SIGKILL), then reconcile", str(point)
    stage.case.expected = "it is finished" if wanted != runs else "nothing has changed"
    said = stage.victim(stage.trio.words("rollback"), act="SIGKILL", **point.fault).wait()
    assert said.code == KILLED, said.all
    stage.done(stage.trio.words("reconcile"))
    stage.ended_well(before, wanted)


@pytest.mark.parametrize("point", ROLLBACK_POINTS, ids=str)
def test_a_terminated_rollback_is_finished_by_the_next_one(point: Point, stage: Stage) -> None:
    runs, before = stage.settle()
    stage.case.fault, stage.case.step = "rollback ended (SIGTERM), then again", str(point)
    stage.case.expected = "the release gone back to serves"
    said = stage.victim(stage.trio.words("rollback"), act="SIGTERM", **point.fault).wait()
    assert said.code == ENDED, said.all
    stage.done(stage.trio.words("rollback", "--to", other(runs)))
    stage.ended_well(before, other(runs))


def _release(stage: Stage, tag: str, point: Point) -> list[str]:
    """The command that gets to the point: a deploy ends with its first record, and is so much quicker."""
    return stage.trio.release(tag) if point.passed(Step.KEEP_RECORD) else stage.trio.deploy(tag)
