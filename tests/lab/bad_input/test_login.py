"""A droplet or a registry that cannot be reached, or is not the one that was meant, is refused with the way out."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.faults.harness.doubles.forced_command import new_key
from tests.stacks.invalid_input import (
    REFUSED,
    InvalidInputCase,
    assert_one_error,
    open_invalid_input_case,
    plain,
)
from tests.support.lab.saved_blocks import saved

pytestmark = pytest.mark.lab


# What is wrong → what the droplet's block holds instead, name of the error, words it must hold.
DROPLETS: dict[str, tuple[Callable[[], dict[str, Any]], str, tuple[str, ...]]] = {
    "it cannot be reached": (
        lambda: {"port": 1}, "Unreachable",
        ("droplet bad-droplet at root@127.0.0.1:1 cannot be reached", "`ssh -p 1 root@127.0.0.1`"),
    ),
    "its name means nothing": (
        lambda: {"host": "droplet.invalid"}, "Unreachable",
        ("root@droplet.invalid", "cannot be reached", "`ssh -p"),
    ),
    "no host key is pinned": (
        lambda: {"host_key": ""}, "HostKeyRefused",
        ("shows ssh-ed25519 SHA256:", "no host key is pinned", "slipway droplet pin bad-droplet"),
    ),
    "its host key has changed": (
        lambda: {"host_key": new_key()[1]}, "HostKeyRefused",
        ("now shows ssh-ed25519 SHA256:", "pinned is SHA256:", "slipway droplet pin bad-droplet"),
    ),
    "its pinned host key is unreadable": (
        lambda: {"host_key": "ssh-ed25519 !!!"}, "HostKeyRefused",
        ("pinned host key is unreadable", "slipway droplet pin bad-droplet"),
    ),
    "it does not know our key": (
        lambda: {"private_key": new_key()[0]}, "LoginRefused",
        ("refuses the key of user root", "~/.ssh/authorized_keys"),
    ),
    "our key is unreadable": (
        lambda: {"private_key": "scribble"}, "LoginRefused",
        ("the private key in its block is unreadable", "slipway droplet add bad-droplet"),
    ),
    "it does not know our user": (
        lambda: {"user": "nobody-here"}, "LoginRefused",
        ("refuses the key of user nobody-here",),
    ),
}  # fmt: skip

REGISTRIES: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    "its password is wrong": (
        {"password": "wr0ng-password"}, "LoginRefused", ("refuses user 'slipway'", "Check user, password and rights"),
    ),
    "it cannot be reached": (
        {"registry_url": "127.0.0.1:1"}, "Unreachable",
        ("registry 127.0.0.1:1 cannot be reached", "`curl https://127.0.0.1:1/v2/`"),
    ),
}  # fmt: skip

# What was never saved → settings that ask for it, the remedy.
MISSING = {
    "droplet": ({"SLIPWAY_DROPLET": "nowhere"}, "slipway droplet add nowhere --host ADDRESS --key-file PATH"),
    "registry": ({"SLIPWAY_REGISTRY": "nowhere"}, "slipway registry set --host HOST"),
    "environment": ({"SLIPWAY_ENVIRONMENT": "nowhere"}, "slipway environment set --name nowhere --stack PATH"),
    "docker-host": ({"SLIPWAY_BUILD_HOST": "nowhere"}, "Blocks, Docker Host"),
}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InvalidInputCase]:
    with open_invalid_input_case(tmp_path_factory.mktemp("bad")) as case:
        case.publish("good", {})
        yield case


@pytest.mark.parametrize("what", DROPLETS)
def test_a_droplet_is_refused_when(what: str, case: InvalidInputCase) -> None:
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    fields, name, words = DROPLETS[what]
    block = Droplet.model_validate({**plain(Droplet.load(case.block)), **fields()})
    with saved(bad_droplet=block), case.untouched():
        answer = case.deploy("good", SLIPWAY_DROPLET="bad-droplet")
    assert_one_error(answer, REFUSED, name, words)
    assert "PRIVATE KEY" not in answer.all


@pytest.mark.parametrize(
    ("command", "what"),
    [("build-push", "its password is wrong"), ("deploy", "its password is wrong"), ("release", "it cannot be reached")],
)
def test_a_registry_is_refused_when(command: str, what: str, case: InvalidInputCase) -> None:
    fields, name, words = REGISTRIES[what]
    block = type(case.registry.block).model_validate({**plain(case.registry.named()), **fields})
    stack = str(case.stack(f"{command}-{what}".replace(" ", "-"), {}))
    with saved(other_registry=block), case.untouched():
        answer = case.slipway(command, "--stack", stack, "--tag", "good", SLIPWAY_REGISTRY="other-registry")
    assert_one_error(answer, REFUSED, name, words)
    assert "wr0ng-password" not in answer.all


@pytest.mark.parametrize("kind", MISSING)
def test_a_block_that_was_never_saved_is_named_with_the_command_that_saves_it(
    kind: str, case: InvalidInputCase
) -> None:
    more, remedy = MISSING[kind]
    stack = str(case.stack(f"no-{kind}", {}))
    with case.untouched():
        answer = case.slipway("release", "--stack", stack, "--tag", "good", **more)
    assert_one_error(answer, REFUSED, "BlockMissing", (f"{kind} block named 'nowhere'", remedy))


def test_a_tag_that_was_never_published_is_refused(case: InvalidInputCase) -> None:
    with case.untouched():
        answer = case.deploy("never")
    words = ("no release never of stack bad-input", "slipway build-push --tag never")
    assert_one_error(answer, REFUSED, "ReleaseNotFound", words)


def test_a_strategy_that_there_is_not_is_refused(case: InvalidInputCase) -> None:
    with case.untouched():
        answer = case.deploy("good", "--strategy", "gently")
    assert answer.code == REFUSED
    said = " ".join(answer.err.replace("│", " ").split())  # in a box of the terminal's width
    assert "'gently' is not one of 'rolling', 'prefetch', 'recreate'" in said
    assert "Traceback" not in answer.all
