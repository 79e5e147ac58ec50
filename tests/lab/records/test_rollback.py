"""A release that fails on a droplet gives way to the last known good one, with the data and the truth about both."""

from collections.abc import Iterator

import pytest

from tests.stacks.invalid_input import FAILED, assert_one_error
from tests.stacks.single_service import BLOCK, CRASHES, LIES, SingleServiceStack, open_single_service_stack
from tests.support.lab.cli import CliResult

pytestmark = pytest.mark.lab

AGAIN = f"Rolled back: release v1 runs on {BLOCK} again, by digest, validated"
EITHER = ("The rollback did not succeed either: RollbackFailed: release v1 on droplet ", " is not well either: ")


@pytest.fixture(scope="module")
def kiosk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SingleServiceStack]:
    with open_single_service_stack(tmp_path_factory.mktemp("kiosk")) as kiosk:
        for tag, habit in (("v1", "well"), ("v2", "well"), ("v3", "well"), ("crashing", CRASHES)):
            kiosk.publish(tag, habit)
        yield kiosk


def test_a_deploy_whose_service_crashes_gives_way_to_the_release_and_environment_before(
    kiosk: SingleServiceStack,
) -> None:
    kiosk.settle("v1")
    kiosk.write_row("sold: one paper")
    kept, first = kiosk.kept(), kiosk.records()[0]
    kiosk.save_environment(greeting="another")
    answer = kiosk.slipway("deploy", "--tag", "crashing")
    kiosk.save_environment()
    words = ("till: exit 3", "last words of till:", "the drawer is stuck", AGAIN)
    assert_one_error(answer, FAILED, "ServicesNotReady", words)
    kiosk.assert_runs("v1")
    assert kiosk.kept() == kept
    assert kiosk.outcomes() == [
        ("deploy", "v1", "good"),
        ("deploy", "crashing", "rolled back"),
        ("rollback", "v1", "good"),
    ]
    _, failed, back = kiosk.records()
    assert failed["reason"].startswith("ServicesNotReady: ")
    assert (back["name"], back["environment"]) == (first["name"], first["environment"])
    assert failed["environment"] != first["environment"]
    assert kiosk.droplet.inside("till", "printenv", "GREETING") == "hello\n"


def test_a_release_that_fails_its_validation_gives_way_to_the_last_known_good_release(
    kiosk: SingleServiceStack,
) -> None:
    kiosk.settle("v1")
    kiosk.write_row("sold: two papers")
    kept = kiosk.kept()
    answer = kiosk.release("lying", LIES)
    words = ("release lying on ", "0 of 1 probes passed", "till: health: 500", AGAIN)
    assert_one_error(answer, FAILED, "ValidationFailed", words)
    kiosk.assert_runs("v1")
    assert kiosk.kept() == kept
    assert kiosk.outcomes()[1:] == [("deploy", "lying", "rolled back"), ("rollback", "v1", "good")]
    assert kiosk.records()[1]["reason"].startswith("ValidationFailed: ")


def test_a_first_release_that_fails_has_nothing_to_go_back_to_and_says_so(kiosk: SingleServiceStack) -> None:
    kiosk.settle()
    answer = kiosk.slipway("deploy", "--tag", "crashing")
    words = ("till: exit 3", "the drawer is stuck", "There was nothing good to go back to")
    assert_one_error(answer, FAILED, "ServicesNotReady", words)
    assert "Rolled back" not in answer.all
    assert kiosk.outcomes() == [("deploy", "crashing", "failed")]
    assert kiosk.droplet.containers()["till"]["State"]["ExitCode"] == 3
    assert "failed, deploy 1" in kiosk.slipway("status").out
    assert kiosk.slipway("deploy", "--tag", "v1").code == 0
    kiosk.assert_runs("v1")


def test_a_good_release_that_is_sick_by_now_is_not_called_well(kiosk: SingleServiceStack) -> None:
    kiosk.settle("v1")
    kiosk.droplet.inside("till", "touch", "/data/sick")
    answer = kiosk.slipway("deploy", "--tag", "crashing")
    words = ("till: exit 3", *EITHER, "ValidationFailed: release v1 on ", "till: health: 500", "slipway reconcile")
    assert_one_error(answer, FAILED, "ServicesNotReady", words)
    assert "Rolled back" not in answer.all
    assert kiosk.outcomes()[1:] == [("deploy", "crashing", "failed"), ("rollback", "v1", "failed")]
    kiosk.droplet.inside("till", "rm", "/data/sick")
    mended = kiosk.slipway("reconcile")
    assert (mended.code, "release v1 runs, by digest, validated" in mended.out) == (0, True), mended.all
    assert kiosk.outcomes()[-1] == ("rollback", "v1", "good")


def test_a_rollback_by_hand_goes_to_the_good_release_before(kiosk: SingleServiceStack) -> None:
    kiosk.settle("v1", "v2")
    kiosk.write_row("sold: three papers")
    kept = kiosk.kept()
    _went_back(kiosk.slipway("rollback"), "v1", "v2")
    kiosk.assert_runs("v1")
    assert kiosk.kept() == kept
    assert kiosk.outcomes() == [("deploy", "v1", "good"), ("deploy", "v2", "rolled back"), ("rollback", "v1", "good")]
    assert kiosk.records()[-1]["leaves"] == 2


def test_a_rollback_by_hand_goes_to_the_release_that_is_named(kiosk: SingleServiceStack) -> None:
    kiosk.settle("v1", "v2", "v3")
    _went_back(kiosk.slipway("rollback", "--to", "v1"), "v1", "v3")
    kiosk.assert_runs("v1")
    assert kiosk.outcomes()[1:] == [
        ("deploy", "v2", "good"),
        ("deploy", "v3", "rolled back"),
        ("rollback", "v1", "good"),
    ]


def test_a_rollback_by_hand_to_a_sick_release_fails_and_is_recorded_so(kiosk: SingleServiceStack) -> None:
    kiosk.settle("v1", "v2")
    kiosk.droplet.inside("till", "touch", "/data/sick")
    words = ("release v1 on ", "is not well either: ValidationFailed", "slipway debug-agent")
    assert_one_error(kiosk.slipway("rollback"), FAILED, "RollbackFailed", words)
    assert kiosk.outcomes()[-1] == ("rollback", "v1", "failed")


def test_images_that_were_removed_by_hand_are_pulled_again_by_their_digest(kiosk: SingleServiceStack) -> None:
    kiosk.settle("v1", "v2")
    image = kiosk.image("v1")
    kiosk.droplet.sh(f"docker rmi -f $(docker image inspect --format '{{{{.Id}}}}' {image})")
    assert "1 images had to be pulled" in _went_back(kiosk.slipway("rollback"), "v1", "v2").out
    kiosk.assert_runs("v1")


def test_a_damaged_record_is_left_out_and_stands_in_nobody_s_way(kiosk: SingleServiceStack) -> None:
    kiosk.settle("v1", "v2")
    kiosk.droplet.sh(f"echo nonsense >{kiosk.droplet.home}/history/000002.json")
    assert kiosk.slipway("rollback").code == 0
    kiosk.assert_runs("v1")
    assert kiosk.droplet.sh(f"ls {kiosk.droplet.home}/history").split() == [
        "000001.json", "000002.json", "000003.json"
    ]  # fmt: skip


def _went_back(answer: CliResult, to: str, left: str) -> CliResult:
    assert answer.code == 0, answer.all
    assert f"Release {to} runs on {BLOCK} again, instead of {left}, by digest, validated." in answer.out
    return answer
