"""The registry is down, slow, answers badly, or sends half a layer, while a droplet pulls."""

from typing import Any

import pytest

from flows.core.steps import Step
from tests.faults.harness.scenario import SLOWLY, DropletScenario, other

pytestmark = pytest.mark.faults
# An engine that had an image may remember its manifest, so that manifests alone are not always asked for.
ANY, BLOBS = "/", "/blobs/"
# What is wrong (the fields of a Misbehaviour), and the error that is told.
PASSING: dict[str, dict[str, Any]] = {
    "slow": {"of": BLOBS, "rate": SLOWLY},
    "answers 500 once": {"of": ANY, "status": 500, "times": 1},
    "answers 429 once": {"of": ANY, "status": 429, "retry_after": 1, "times": 1},
    "sends half a layer once": {"of": BLOBS, "keep": 100_000, "times": 2},
    "sends a truncated layer once": {"of": BLOBS, "keep": 100_000, "times": 2, "honest": False},
}
LASTING: dict[str, tuple[dict[str, Any], str]] = {
    "answers 401": ({"of": ANY, "status": 401}, "PullFailed"),
    "answers 429": ({"of": ANY, "status": 429, "retry_after": 1}, "PullFailed"),
    "answers 500": ({"of": ANY, "status": 500}, "PullFailed"),
    "sends truncated layers": ({"of": BLOBS, "keep": 100_000, "honest": False}, "PullFailed"),
}


@pytest.mark.parametrize("what", PASSING)
def test_what_passes_by_is_survived(what: str, scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    scenario.says(f"the registry {what}", "during the pull", "the new release is good")
    said = _deploy(scenario, runs, PASSING[what])
    assert said.code == 0, said.all
    assert scenario.registry.met, "nobody met the fault"
    scenario.done(scenario.stack.words("validate"))
    scenario.ended_well(before, other(runs))


@pytest.mark.parametrize("what", LASTING)
def test_what_lasts_fails_before_anything_has_changed(what: str, scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    how, error = LASTING[what]
    scenario.says(f"the registry {what}", "during the pull", "fails, nothing has changed")
    said = _deploy(scenario, runs, how)
    assert said.code in (1, 2), said.all
    assert said.errors[0].startswith(f"{error}: "), said.err
    scenario.registry.well()
    scenario.ended_well(before, runs)


@pytest.mark.parametrize("step", [Step.PREFLIGHT, Step.PULL], ids=lambda step: step.value)
def test_a_registry_that_is_down_fails_before_anything_has_changed(step: Step, scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    scenario.says("the registry is down", f"before {step.value}", "fails, nothing has changed")
    scenario.forget_images()
    process = scenario.start_process(scenario.stack.deploy(other(runs)), when="before", step=step.value)
    process.held()
    scenario.registry.down()
    process.go()
    said = process.wait()
    assert said.code in (1, 2), said.all
    assert said.errors[0].startswith(("LoginRefused: ", "PullFailed: ")), said.err
    scenario.registry.well()
    scenario.ended_well(before, runs)


def test_a_rollback_does_not_need_the_registry(scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    scenario.make_good(runs := other(runs))  # so that the images of the one before are here
    scenario.says("the registry is down", "rollback", "the release gone back to serves")
    scenario.registry.down()
    scenario.done(scenario.stack.words("rollback"))
    scenario.ended_well(before, other(runs))


def _deploy(scenario: DropletScenario, runs: str, how: dict[str, Any]) -> Any:
    """Deploy what is not on the droplet, while the registry misbehaves for its images (not for the release)."""
    scenario.forget_images()
    more = {name: value for name, value in how.items() if name != "of"}
    scenario.registry.misbehave(f"/{scenario.stack.name}{how['of']}", **more)
    return scenario.say(scenario.stack.deploy(other(runs)))
