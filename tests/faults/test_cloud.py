"""A rehearsal or a provisioning that is killed, or meets a fault of DigitalOcean's: nothing twice, nothing left."""

import signal
from collections.abc import Iterator

import pytest
from fault import Fault

from tests.faults.harness.fault_report import Case
from tests.faults.harness.slipway_process import SlipwayProcess, run_slipway
from tests.stacks.rehearsal import COPY, DROPLET, REHEARSAL, RehearsalStack, open_rehearsal_stack

pytestmark = pytest.mark.faults
POINTS = ("take snapshot", "create droplet", "trust droplet", "check engine", "start services", "turn the switch",
          "probe through the switch", "remove droplet")  # fmt: skip
REHEARSE = ["rehearse", "--stack", "cloud-app", "--force", "--approval", "never"]
PROVISION = ["provision", COPY, "--like", DROPLET, "--image", "debian-13-x64", "--approval", "never"]
NOTHING = "nothing is left at DigitalOcean, and the name points where it did"


@pytest.fixture(scope="module")
def stack(registry: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RehearsalStack]:
    with open_rehearsal_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(autouse=True)
def swept(stack: RehearsalStack) -> Iterator[None]:
    yield
    stack.cloud.calm()
    stack.sweep()


def start(stack: RehearsalStack, words: list[str], place: object, **fault: object) -> SlipwayProcess:
    return SlipwayProcess(words, stack.settings, Fault(str(place), **fault))  # type: ignore[arg-type]


def assert_nothing(stack: RehearsalStack) -> None:
    assert [name for name in stack.left() if "v1" not in name] == []
    with stack.cloud.client() as client:
        assert client.droplets.all(tag="slipway-rehearsal") == []
        assert [s.name for s in client.snapshots.all() if "slipway-rehearsal" in s.tags] == []
    assert stack.points_at() == stack.address()


def creations(stack: RehearsalStack) -> list[dict]:
    """What the account did to make things, in other tests too."""
    return [action for action in stack.cloud.ask("GET", "/_lab/state")["actions"] if action["type"] == "create"]


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_rehearsal_is_tidied_by_reconcile(
    point: str, stack: RehearsalStack, case: Case, tmp_path: object
) -> None:
    case.fault, case.step, case.expected = "rehearsal killed (SIGKILL), then reconcile", f"before {point}", NOTHING
    killed = start(stack, REHEARSE, tmp_path, when="before", step=point, act="SIGKILL")
    assert killed.wait().code == -signal.SIGKILL
    said = run_slipway(["reconcile", "--stack", "cloud-app", "--droplet", DROPLET], stack.settings)
    assert said.code == 0, said.all
    assert_nothing(stack)


@pytest.mark.parametrize("point", POINTS[1:6:2])
def test_a_terminated_rehearsal_tidies_itself(point: str, stack: RehearsalStack, case: Case, tmp_path: object) -> None:
    case.fault, case.step, case.expected = "rehearsal ended (SIGTERM)", f"before {point}", NOTHING
    ended = start(stack, REHEARSE, tmp_path, when="before", step=point, act="SIGTERM")
    assert ended.wait().code == 130
    assert_nothing(stack)


def test_the_next_rehearsal_removes_what_a_killed_one_left(stack: RehearsalStack, case: Case, tmp_path: object) -> None:
    case.fault, case.step, case.expected = "rehearsal killed (SIGKILL), then again", "before check engine", NOTHING
    killed = start(stack, REHEARSE, tmp_path, when="before", step="check engine", act="SIGKILL")
    assert killed.wait().code == -signal.SIGKILL
    assert REHEARSAL in stack.left()
    said = run_slipway(REHEARSE, stack.settings)
    assert (said.code, "no deviation" in said.out) == (0, True), said.all
    assert_nothing(stack)


@pytest.mark.parametrize("point", ["create droplet", "trust droplet", "check engine"])
def test_a_killed_provisioning_is_finished_by_the_next_one(
    point: str, stack: RehearsalStack, case: Case, tmp_path: object
) -> None:
    case.fault, case.step = "provisioning killed (SIGKILL), then again", f"before {point}"
    case.expected = "one droplet, trusted"
    killed = start(stack, PROVISION, tmp_path, when="before", step=point, act="SIGKILL")
    assert killed.wait().code == -signal.SIGKILL
    said = run_slipway(PROVISION, stack.settings)
    assert said.code == 0, said.all
    with stack.cloud.client() as client:
        assert len(client.droplets.all(name=COPY)) == 1
    said = run_slipway(["deploy", "--stack", "cloud-app", "--tag", "v1", "--droplet", COPY], stack.settings)
    assert said.code == 0, said.all  # it is reached, by a key that is pinned


@pytest.mark.parametrize(
    ("act", "path", "more"),
    [
        ("lose", "^/v2/droplets$", {}),
        ("html", "^/v2/droplets$", {}),
        ("status", "^/v2/droplets$", {"status": 500, "message": "broken"}),
        ("status", "^/v2/droplets$", {"status": 429, "message": "slow down", "headers": {"retry-after": "1"}}),
        ("lose", "^/v2/droplets/[0-9]+/actions$", {}),
    ],
)
def test_a_rehearsal_survives_what_the_api_does_once(
    act: str, path: str, more: dict, stack: RehearsalStack, case: Case
) -> None:
    case.fault, case.step = f"{act} {more.get('status', '')}".strip(), path
    case.expected = "nothing is made twice, and nothing is left"
    before = {action["id"] for action in creations(stack)}
    stack.cloud.faults({"match": {"method": "POST", "path": path}, "act": act, "times": 1, **more})
    said = run_slipway(REHEARSE, stack.settings)
    assert (said.code, "no deviation" in said.out) == (0, True), said.all
    made = [action["resource_id"] for action in creations(stack) if action["id"] not in before]
    assert made
    assert len(set(made)) == len(made)
    assert_nothing(stack)


@pytest.mark.parametrize("what", ["snapshot action errored", "token revoked in the middle"])
def test_a_rehearsal_that_fails_leaves_nothing(what: str, stack: RehearsalStack, case: Case) -> None:
    case.fault, case.expected = what, "the rehearsal says so, and nothing is left"
    fault = {"match": {"method": "POST", "path": "/actions$"}, "act": "error_action", "times": 1}
    if what != "snapshot action errored":
        fault = {"match": {"method": "POST", "path": "^/v2/droplets$"}, "act": "status", "times": 1, "status": 401,
                 "id": "unauthorized", "message": "Unable to authenticate you"}  # fmt: skip
    stack.cloud.faults(fault)
    said = run_slipway(REHEARSE, stack.settings)
    assert said.code == 1, said.all
    assert "RehearsalFailed" in said.err
    assert_nothing(stack)
