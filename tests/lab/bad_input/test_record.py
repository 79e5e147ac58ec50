"""What a droplet's records or its lock do not allow is refused, and nothing on it changes."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from flows.core.droplet.lock import BYE, HELD, Holder, hold_script
from tests.stacks.invalid_input import REFUSED, assert_one_error
from tests.stacks.single_service import BLOCK, CRASHES, SingleServiceStack, open_single_service_stack
from tests.support import wait_until
from tests.support.lab.lab import LAB

pytestmark = pytest.mark.lab

# What is asked for → the error and its words. On the droplet v1 and v3 are good, `crashing` failed, and v3 runs.
UNKNOWN = "was never deployed to this droplet."
CASES: dict[str, tuple[list[str], str, tuple[str, ...]]] = {
    "a tag that is near to those on record": (
        ["--to", "v33"], "ReleaseNotOnDroplet",
        (f"release v33 {UNKNOWN} Did you mean v3", "slipway deploy --tag v33"),
    ),
    "a tag like none on record": (
        ["--to", "2019-06"], "ReleaseNotOnDroplet",
        (f"release 2019-06 {UNKNOWN} On record and good: v3, v1.", "slipway deploy --tag 2019-06"),
    ),
    "the release that runs": (
        ["--to", "v3"], "AlreadyRunning", ("release v3 is what runs already", "slipway history"),
    ),
    "a release that was never good": (
        ["--to", "crashing"], "NoRollbackTarget",
        ("release crashing is on record here, but it never passed", "Good ones: v3, v1.", "deploy --tag crashing"),
    ),
    "a stack without a record": (
        ["--stack", "no-such-stack"], "NoRollbackTarget",
        ("nothing was ever deployed to this droplet", "slipway deploy --tag TAG"),
    ),
}  # fmt: skip
# A change to the newest record → the error and its words.
RECORDS: dict[str, tuple[dict[str, object], str, tuple[str, ...]]] = {
    "another stack's": (
        {"stack": "newsstand"}, "ForeignRecord",
        ("record 000099.json belongs to stack newsstand, not to single-service", "another directory"),
    ),
    "a newer format": (
        {"format": 3}, "NewerRecord",
        ("record 000099.json is of format 3", "reads format 2", "Use the version that wrote it"),
    ),
    "a newer format that looks otherwise": (
        {"format": 3, "number": "ninety-nine", "outcome": {"verdict": "fine"}}, "NewerRecord",
        ("record 000099.json is of format 3", "reads format 2"),
    ),
}  # fmt: skip
CHANGING = {"deploy": ["deploy", "--tag", "v1"], "rollback": ["rollback"], "reconcile": ["reconcile", "--wait", "0"]}
OTHER = Holder(
    "0123456789abcdef", "eve@elsewhere", "release of single-service v7", "run-of-eve", since="2026-11-25T08:00:00"
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SingleServiceStack]:
    with open_single_service_stack(tmp_path_factory.mktemp("single-service")) as stack:
        stack.good("v1")
        assert stack.release("crashing", CRASHES).code == 1
        stack.good("v3")
        yield stack


@pytest.mark.parametrize("what", CASES)
def test_a_rollback_is_refused_to(what: str, stack: SingleServiceStack) -> None:
    words, name, told = CASES[what]
    with _untouched(stack):
        answer = stack.on_droplet("rollback", *words)
    assert_one_error(answer, REFUSED, name, told)


def test_a_rollback_is_refused_when_only_what_runs_was_ever_good(stack: SingleServiceStack) -> None:
    history = f"{stack.droplet.home}/history"
    older = f"{history}/000001.json {history}/000003.json"  # v1 came first, and again after the failure
    stack.droplet.sh(f"mkdir -p /run/held-back; mv {older} /run/held-back")
    with _untouched(stack):
        answer = stack.on_droplet("rollback")
    stack.droplet.sh(f"mv /run/held-back/* {history}; rmdir /run/held-back")
    words = ("no other release on this droplet ever passed its validation", "slipway deploy --tag TAG")
    assert_one_error(answer, REFUSED, "NoRollbackTarget", words)


@pytest.mark.parametrize("verb", CHANGING)
@pytest.mark.parametrize("what", RECORDS)
def test_a_droplet_is_left_alone_when_a_record_is(what: str, verb: str, stack: SingleServiceStack) -> None:
    change, name, told = RECORDS[what]
    record = {**stack.records()[-1], "number": 99, **change}
    path = f"{stack.droplet.home}/history/000099.json"
    stack.droplet.sh(f"cat >{path}", json.dumps(record).encode())
    with _untouched(stack):
        answer = stack.on_droplet(*CHANGING[verb])
    stack.droplet.sh(f"rm {path}")
    assert_one_error(answer, REFUSED, name, told)


@pytest.mark.parametrize("verb", [*CHANGING, "prune"])
def test_whoever_comes_while_another_changes_the_droplet_is_told_who_it_is(
    verb: str, stack: SingleServiceStack
) -> None:
    with _held_by_another(stack), _untouched(stack):
        answer = stack.on_droplet(*CHANGING.get(verb, [verb]))
    words = (f"droplet {BLOCK} at ", f"is being changed by {OTHER}.", "Nothing was changed", "--wait SECONDS")
    assert_one_error(answer, REFUSED, "DropletBusy", words)


def test_status_names_who_changes_the_droplet(stack: SingleServiceStack) -> None:
    with _held_by_another(stack), _untouched(stack):
        said = stack.on_droplet("status").out
        shown = json.loads(stack.on_droplet("status", "--json").out)["droplets"][BLOCK]
    assert f"being changed by {OTHER}" in said
    assert shown["locked_by"] == str(OTHER)


def test_whoever_waits_says_for_whom_and_gets_the_lock_when_it_is_free(stack: SingleServiceStack) -> None:
    with _held_by_another(stack) as other:
        leaving = threading.Thread(target=_leave_once_awaited, args=(stack, other))
        leaving.start()
        answer = stack.on_droplet("deploy", "--tag", "v3", "--wait", "57")
        leaving.join()
    assert answer.code == 0, answer.all
    assert f"waiting for {BLOCK}: {OTHER}" in answer.out
    stack.assert_runs("v3")


def test_whoever_waits_in_vain_is_refused(stack: SingleServiceStack) -> None:
    with _held_by_another(stack), _untouched(stack):
        answer = stack.on_droplet("rollback", "--wait", "1")
    assert_one_error(answer, REFUSED, "DropletBusy", (f"is being changed by {OTHER}.",))


@contextmanager
def _untouched(stack: SingleServiceStack) -> Iterator[None]:
    """Whatever happens inside, the stack on the droplet must be as it was."""
    before = stack.droplet.state(), stack.droplet.started()
    yield
    assert (stack.droplet.state(), stack.droplet.started()) == before


@contextmanager
def _held_by_another(stack: SingleServiceStack) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the droplet's lock, for two minutes or until it is told to let go."""
    argv = hold_script(stack.droplet.directory, OTHER.token, lease=120)
    command = ["docker", "exec", "-i", f"{LAB}-{stack.droplet.droplet}", *argv]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        print(OTHER.line(), file=other.stdin, flush=True)
        try:
            assert other.stdout.readline().strip() == HELD
            yield other
        finally:
            _let_go(other)


def _let_go(other: subprocess.Popen[str]) -> None:
    if other.poll() is None and other.stdin is not None:
        print(BYE, file=other.stdin, flush=True)
        other.wait(20)


def _leave_once_awaited(stack: SingleServiceStack, other: subprocess.Popen[str]) -> None:
    """Let go of the lock as soon as somebody stands there and waits for it; in any case in the end."""
    try:
        wait_until(lambda: "flock -w 57" in stack.droplet.sh("ps -eo args"), pause=0.05)
    finally:
        _let_go(other)
