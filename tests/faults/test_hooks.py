"""A hook that itself raises: the run's own error is what is reported, and the release before serves again."""

import pytest

from tests.faults.harness.scenario import DropletScenario

pytestmark = pytest.mark.faults
# What is broken inside a hook, and which hook that is.
BROKEN = {
    "the pruning after a failure": "flows.hooks:prune_best_effort",
    "the debug bundle of a failed step": "flows.tasks.debug.capture:bundle",
    "the debug bundle of a failed validation": "flows.tasks.debug.capture:keep_bundle",
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_hook_that_raises_changes_nothing_of_what_is_reported(what: str, scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    behaviour, error = ("lies", "ValidationFailed") if "validation" in what else ("crashes", "")
    scenario.says(f"a hook raises: {what}", "release fails", "the run's own error is told, gone back")
    process = scenario.start_process(
        scenario.stack.release(scenario.stack.publish(f"bad-{behaviour}", behaviour)), broken=BROKEN[what]
    )
    said = process.wait()
    assert said.code == 1, said.all
    assert len(said.errors) == 1, said.err
    assert said.errors[0].startswith(error), said.err
    assert "broken on purpose" not in said.errors[0]
    assert f"Rolled back: release {runs} runs on" in said.err
    assert scenario.state(process) == "FAILED"
    scenario.done(scenario.stack.words("reconcile"))
    scenario.ended_well(before, runs)
