"""A hook that itself raises: the run's own error is what is reported, and the release before serves again."""

import pytest

from tests.faults.harness.scenario import DropletScenario

pytestmark = pytest.mark.faults
# What is broken inside a hook, and which hook that is.
BROKEN = {
    "the pruning after a failure": "flows.hooks:prune_willingly",
    "the debug bundle of a failed step": "flows.tasks.capture:bundle",
    "the debug bundle of a failed validation": "flows.hooks:keep_bundle",
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_hook_that_raises_changes_nothing_of_what_is_reported(what: str, stage: DropletScenario) -> None:
    runs, before = stage.settle()
    habit, error = ("lies", "ValidationFailed") if "validation" in what else ("crashes", "")
    stage.says(f"a hook raises: {what}", "release fails", "the run's own error is told, gone back")
    victim = stage.victim(stage.trio.release(stage.trio.publish(f"bad-{habit}", habit)), broken=BROKEN[what])
    said = victim.wait()
    assert said.code == 1, said.all
    assert len(said.errors) == 1, said.err
    assert said.errors[0].startswith(error), said.err
    assert "broken on purpose" not in said.errors[0]
    assert f"Rolled back: release {runs} runs on" in said.err
    assert stage.state(victim) == "FAILED"
    stage.done(stage.trio.words("reconcile"))
    stage.ended_well(before, runs)
