"""A release that fails on a droplet gives way to the last known good one, with the data and the truth about both."""

import json
from collections.abc import Iterator

import pytest

from tests.stacks.invalid_input import FAILED, assert_one_error
from tests.stacks.single_service import BLOCK, CRASHES, LIES, STACK, SingleServiceStack, open_single_service_stack
from tests.support.lab.cli import CliResult

pytestmark = pytest.mark.lab

AGAIN = f"Rolled back: release v1 runs on {BLOCK} again, by digest, validated"
EITHER = ("The rollback did not succeed either: RollbackFailed: release v1 on droplet ", " is not well either: ")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SingleServiceStack]:
    with open_single_service_stack(tmp_path_factory.mktemp("single-service")) as stack:
        for tag, behaviour in (("v1", "well"), ("v2", "well"), ("v3", "well"), ("crashing", CRASHES)):
            stack.publish(tag, behaviour)
        yield stack


def test_a_deploy_whose_service_crashes_gives_way_to_the_release_and_environment_before(
    stack: SingleServiceStack,
) -> None:
    stack.settle("v1")
    stack.write_row("sold: one paper")
    kept, first = stack.kept(), stack.records()[0]
    stack.save_environment(greeting="another")
    answer = stack.on_droplet("deploy", "--tag", "crashing")
    stack.save_environment()
    words = ("web: exit 3", "last words of web:", "the drawer is stuck", AGAIN)
    assert_one_error(answer, FAILED, "ServicesNotReady", words)
    stack.assert_runs("v1")
    assert stack.kept() == kept
    assert stack.outcomes() == [
        ("deploy", "v1", "good"),
        ("deploy", "crashing", "rolled back"),
        ("rollback", "v1", "good"),
    ]
    _, failed, back = stack.records()
    assert failed["reason"].startswith("ServicesNotReady: ")
    assert (back["name"], back["environment"]) == (first["name"], first["environment"])
    assert failed["environment"] != first["environment"]
    assert stack.droplet.inside("web", "printenv", "GREETING") == "hello\n"


def test_a_release_that_fails_its_validation_gives_way_to_the_last_known_good_release(
    stack: SingleServiceStack,
) -> None:
    stack.settle("v1")
    stack.write_row("sold: two papers")
    kept = stack.kept()
    answer = stack.release("lying", LIES)
    words = ("release lying on ", "0 of 1 probes passed", "web: health: 500", AGAIN)
    assert_one_error(answer, FAILED, "ValidationFailed", words)
    stack.assert_runs("v1")
    assert stack.kept() == kept
    assert stack.outcomes()[1:] == [("deploy", "lying", "rolled back"), ("rollback", "v1", "good")]
    assert stack.records()[1]["reason"].startswith("ValidationFailed: ")


def test_a_first_release_that_fails_has_nothing_to_go_back_to_and_says_so(stack: SingleServiceStack) -> None:
    stack.settle()
    answer = stack.on_droplet("deploy", "--tag", "crashing")
    words = ("web: exit 3", "the drawer is stuck", "There was nothing good to go back to")
    assert_one_error(answer, FAILED, "ServicesNotReady", words)
    assert "Rolled back" not in answer.all
    assert stack.outcomes() == [("deploy", "crashing", "failed")]
    assert stack.droplet.containers()["web"]["State"]["ExitCode"] == 3
    assert "failed, deploy 1" in stack.on_droplet("status").out
    assert stack.on_droplet("deploy", "--tag", "v1").code == 0
    stack.assert_runs("v1")


def test_a_good_release_that_is_sick_by_now_is_not_called_well(stack: SingleServiceStack) -> None:
    stack.settle("v1")
    stack.droplet.inside("web", "touch", "/data/unhealthy")
    answer = stack.on_droplet("deploy", "--tag", "crashing")
    words = ("web: exit 3", *EITHER, "ValidationFailed: release v1 on ", "web: health: 500", "slipway reconcile")
    assert_one_error(answer, FAILED, "ServicesNotReady", words)
    assert "Rolled back" not in answer.all
    assert stack.outcomes()[1:] == [("deploy", "crashing", "failed"), ("rollback", "v1", "failed")]
    stack.droplet.inside("web", "rm", "/data/unhealthy")
    mended = stack.on_droplet("reconcile")
    assert (mended.code, "release v1 runs, by digest, validated" in mended.out) == (0, True), mended.all
    assert stack.outcomes()[-1] == ("rollback", "v1", "good")


def test_a_rollback_by_hand_goes_to_the_good_release_before(stack: SingleServiceStack) -> None:
    stack.settle("v1", "v2")
    stack.write_row("sold: three papers")
    kept = stack.kept()
    _went_back(stack.on_droplet("rollback"), "v1", "v2")
    stack.assert_runs("v1")
    assert stack.kept() == kept
    assert stack.outcomes() == [("deploy", "v1", "good"), ("deploy", "v2", "rolled back"), ("rollback", "v1", "good")]
    assert stack.records()[-1]["leaves"] == 2


def test_a_rollback_by_hand_goes_to_the_release_that_is_named(stack: SingleServiceStack) -> None:
    stack.settle("v1", "v2", "v3")
    _went_back(stack.on_droplet("rollback", "--to", "v1"), "v1", "v3")
    stack.assert_runs("v1")
    assert stack.outcomes()[1:] == [
        ("deploy", "v2", "good"),
        ("deploy", "v3", "rolled back"),
        ("rollback", "v1", "good"),
    ]


def test_a_rollback_by_hand_to_a_sick_release_fails_and_is_recorded_so(stack: SingleServiceStack) -> None:
    stack.settle("v1", "v2")
    stack.droplet.inside("web", "touch", "/data/unhealthy")
    words = ("release v1 on ", "is not well either: ValidationFailed", "slipway debug-agent")
    assert_one_error(stack.on_droplet("rollback"), FAILED, "RollbackFailed", words)
    assert stack.outcomes()[-1] == ("rollback", "v1", "failed")


def test_images_that_were_removed_by_hand_are_pulled_again_by_their_digest(stack: SingleServiceStack) -> None:
    stack.settle("v1", "v2")
    image = stack.image("v1")
    stack.droplet.sh(f"docker rmi -f $(docker image inspect --format '{{{{.Id}}}}' {image})")
    assert "1 images had to be pulled" in _went_back(stack.on_droplet("rollback"), "v1", "v2").out
    stack.assert_runs("v1")


def test_a_damaged_record_is_left_out_and_stands_in_nobody_s_way(stack: SingleServiceStack) -> None:
    stack.settle("v1", "v2")
    stack.droplet.sh(f"echo nonsense >{stack.droplet.home}/history/000002.json")
    assert stack.on_droplet("rollback").code == 0
    stack.assert_runs("v1")
    assert stack.droplet.sh(f"ls {stack.droplet.home}/history").split() == [
        "000001.json", "000002.json", "000003.json"
    ]  # fmt: skip


def test_what_somebody_changed_on_the_droplet_is_found_and_put_right_only_when_that_is_said(
    stack: SingleServiceStack,
) -> None:
    stack.settle("v1")
    stack.write_row("sold: one pen")
    well = stack.on_droplet("drift")
    assert (well.code, "Everything of " in well.out) == (0, True), well.all
    compose = f"{stack.droplet.home}/current/files/compose.yaml"
    stack.droplet.sh(f"sed -i 's/^services:/# by hand\\n&/' {compose}; docker stop -t 0 {STACK}-web-1")
    found = json.loads(stack.on_droplet("drift", "--json").out)
    assert [one["kind"] for one in found["droplets"][BLOCK]["drift"]] == ["containers", "files"]
    kept = stack.kept()
    mended = stack.on_droplet("drift", "--repair")
    assert (mended.code, f"put right: {BLOCK}" in mended.out) == (0, True), mended.all
    stack.assert_runs("v1")
    assert stack.kept() == kept
    assert stack.on_droplet("drift").code == 0


def _went_back(answer: CliResult, to: str, left: str) -> CliResult:
    assert answer.code == 0, answer.all
    assert f"Release {to} runs on {BLOCK} again, instead of {left}, by digest, validated." in answer.out
    return answer
