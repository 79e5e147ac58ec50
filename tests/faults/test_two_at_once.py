"""Two runs want one droplet at the same time: one of them gets it, and the other is told who has it, or waits."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from flows.core.steps import Step
from tests.faults.harness.scenario import DropletScenario, other
from tests.faults.harness.second_prefect import SecondPrefect, started

pytestmark = pytest.mark.faults
MIDDLE = {"when": "before", "step": Step.START.value}


def test_a_second_deploy_is_refused_and_told_who_is_at_it(scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    scenario.says("two deploys at once, from two processes", Step.START.value, "one is refused, the other succeeds")
    first = scenario.start_process(scenario.stack.deploy(other(runs)), **MIDDLE)
    first.held()
    second = scenario.say(scenario.stack.deploy(runs))
    _assert_refused(scenario, second, other(runs))
    first.go()
    said = first.wait()
    assert said.code == 0, said.all
    scenario.done(scenario.stack.words("validate"))
    scenario.ended_well(before, other(runs))


def test_a_second_deploy_waits_when_it_is_told_to(scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    scenario.says("two deploys at once, the second with --wait", Step.START.value, "both succeed, one after the other")
    first = scenario.start_process(scenario.stack.deploy(other(runs)), **MIDDLE)
    first.held()
    second = scenario.start_process(scenario.stack.deploy(runs, "--wait", "60"))
    first.go()
    assert [first.wait().code, second.wait().code] == [0, 0]
    scenario.done(scenario.stack.words("validate"))
    scenario.ended_well(before, runs)


def test_a_second_deploy_gets_the_droplet_when_the_first_is_killed(scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    scenario.says("two deploys at once, the first is killed", Step.START.value, "the second succeeds")
    first = scenario.start_process(scenario.stack.deploy(other(runs)), **MIDDLE)
    first.held()
    second = scenario.start_process(scenario.stack.deploy(runs, "--wait", "60"))
    first.end()
    said = second.wait()
    assert said.code == 0, said.all
    scenario.done(scenario.stack.words("validate"))
    scenario.ended_well(before, runs)


def test_deploys_of_two_prefect_servers_do_not_meet(scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    scenario.says(
        "two deploys at once, from two Prefect servers", Step.START.value, "one is refused, the other succeeds"
    )
    with TemporaryDirectory(prefix="slipway-") as home, started(Path(home)) as prefect:
        _tell(prefect, scenario)
        first = scenario.start_process(scenario.stack.deploy(other(runs)), **MIDDLE)
        first.held()
        second = scenario.say(scenario.stack.deploy(runs), prefect.environment)
        _assert_refused(scenario, second, other(runs))
        first.go()
        said = first.wait()
        assert said.code == 0, said.all
        scenario.done(scenario.stack.words("validate"), prefect.environment)
    scenario.ended_well(before, other(runs))


@pytest.mark.parametrize("step", [Step.PULL, Step.START, Step.PROVE], ids=lambda step: step.value)
def test_a_dead_prefect_server_leaves_no_droplet_half_way(step: Step, scenario: DropletScenario) -> None:
    runs, before = scenario.settle()
    scenario.says("the Prefect server dies", f"before {step.value}", "the run ends, and one good release serves")
    with TemporaryDirectory(prefix="slipway-") as home, started(Path(home)) as prefect:
        _tell(prefect, scenario)
        mortal = {**prefect.environment, "PREFECT_CLIENT_MAX_RETRIES": "2"}  # Prefect's own patience is minutes
        process = scenario.start_process(scenario.stack.deploy(other(runs)), mortal, when="before", step=step.value)
        process.held()
        prefect.die()
        process.go()
        said = process.wait()
    assert said.code not in (0, 70), said.all
    scenario.done(scenario.stack.words("reconcile"))
    wanted = scenario.runs()
    assert wanted in (runs, other(runs))
    scenario.ended_well(before, wanted)


def _tell(prefect: SecondPrefect, scenario: DropletScenario) -> None:
    """Save this scenario's blocks at the other server."""
    from blocks import ContainerRegistry, Droplet, StackEnvironment  # noqa: PLC0415 — after the environment is set

    stack = scenario.stack.name
    blocks = {scenario.stack.block: Droplet, f"{stack}-registry": ContainerRegistry, stack: StackEnvironment}
    prefect.ready()
    prefect.save({name: kind.load(name) for name, kind in blocks.items()})


def _assert_refused(scenario: DropletScenario, said: object, tag: str) -> None:
    assert said.code == 2, said.all  # type: ignore[attr-defined]
    assert said.errors[0].startswith("DropletBusy: "), said.err  # type: ignore[attr-defined]
    assert f"deploy of {scenario.stack.name} {tag}" in said.err  # type: ignore[attr-defined]
