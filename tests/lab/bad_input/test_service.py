"""A service that does not come up fails the deploy with what it said last."""

from collections.abc import Iterator

import pytest

from tests.stacks.invalid_input import FAILED, STACK, InvalidInputCase, assert_one_error, open_invalid_input_case

pytestmark = pytest.mark.lab

HEAD = """
name: bad-input
services:
  only:
    image: ${REGISTRY}/only:${IMAGE_TAG}
    build: .
    init: true
    stop_grace_period: 1s
"""
IMAGE = {"Dockerfile": "FROM debian:trixie-slim\n"}
UNHEALTHY = """
    healthcheck: {test: [CMD, sh, -c, "echo the till is empty; exit 1"], interval: 200ms, retries: 2}
"""

# What is wrong → the rest of the service, name of the error, words it must hold.
CASES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "it never gets healthy": (
        f"    command: [sh, -c, 'echo waiting for the bank; sleep 600']{UNHEALTHY}",
        "ServicesNotReady", ("only: unhealthy: the till is empty", "last words of only:\nwaiting for the bank"),
    ),
    "it crashes in a loop": (
        "    command: [sh, -c, 'echo the database is gone; exit 1']\n    restart: always\n",
        "ServicesNotReady", ("only: restarted", "last exit 1", "last words of only:", "the database is gone"),
    ),
    "it ends with an error": (
        "    command: [sh, -c, 'echo no licence; exit 3']\n",
        "ServicesNotReady", ("only: exit 3", "no licence"),
    ),
    "its command is not there": (
        "    command: [no-such-command]\n    init: false\n".replace("    init: false\n", ""),
        "ServicesNotReady", ("only: exit 127",),
    ),
    "what it waits for fails": (
        "    command: [sleep, '600']\n    depends_on: {first: {condition: service_completed_successfully}}\n"
        "  first:\n    image: ${REGISTRY}/only:${IMAGE_TAG}\n    command: [sh, -c, 'echo no schema; exit 4']\n",
        "DeployFailed", ("docker compose up", "first", "no schema"),
    ),
    "its port is taken": (
        "    command: [sleep, '600']\n    ports: ['127.0.0.1:22:80']\n",
        "DeployFailed", ("docker compose up", "127.0.0.1:22"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InvalidInputCase]:
    with open_invalid_input_case(tmp_path_factory.mktemp("bad")) as case:
        yield case


@pytest.mark.parametrize("what", CASES)
def test_a_deploy_fails_with_the_service_s_last_words_when(what: str, case: InvalidInputCase) -> None:
    rest, name, words = CASES[what]
    stack = case.stack(what.replace(" ", "-"), {**IMAGE, "compose.yaml": HEAD + rest})
    answer = case.slipway("release", "--stack", str(stack))
    assert_one_error(answer, FAILED, name, words)
    case.droplet.remove("no image")


def test_a_release_after_a_failed_one_puts_it_right(case: InvalidInputCase) -> None:
    bad = case.stack("bad", {**IMAGE, "compose.yaml": f"{HEAD}    command: [sh, -c, 'exit 1']\n    restart: always\n"})
    good = case.stack("well", {**IMAGE, "compose.yaml": f"{HEAD}    command: [sleep, '600']\n    restart: always\n"})
    assert_one_error(case.slipway("release", "--stack", str(bad)), FAILED, "ServicesNotReady", ("last exit 1",))
    answer = case.slipway("release", "--stack", str(good))
    assert answer.code == 0, answer.all
    assert case.droplet.containers()["only"]["State"]["Status"] == "running"


def test_a_service_that_fails_its_probe_fails_the_release_and_says_what_was_found(case: InvalidInputCase) -> None:
    probed = f"{HEAD}    command: [sleep, '600']\n    x-slipway: {{port: 80, health: /up}}\n"
    stack = case.stack("unprobed", {**IMAGE, "compose.yaml": probed})
    answer = case.slipway("release", "--stack", str(stack), SLIPWAY_HEALTH_PATIENCE="0")
    tag = answer.out.split(f"release {STACK} ")[1].split()[0]
    words = (f"release {tag} on droplet {case.block}", "0 of 1 probes")
    assert_one_error(answer, FAILED, "ValidationFailed", (*words, "only: health: ConnectError"))
