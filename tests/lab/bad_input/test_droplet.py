"""A droplet that cannot take a release is refused before anything on it changes.

Some droplets are the real one behind an SSH key with a forced command, which shows it in another state: with another
`docker` on PATH, or without an engine. Key and command are taken away again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.harness.doubles.forced_command import forced_command
from tests.stacks.invalid_input import (
    GOOD,
    REFUSED,
    InvalidInputCase,
    assert_one_error,
    open_invalid_input_case,
    plain,
)
from tests.support.lab.saved_blocks import saved

pytestmark = pytest.mark.lab

PLACE = "/var/lib/slipway-test"
ARM = GOOD.replace("build: .", "build: {context: ., platforms: [linux/arm64]}")
NEEDY = f"""{GOOD}
    env_file: only.env
    secrets: [token]
    environment: {{COLOUR: "${{COLOUR}}"}}
secrets: {{token: {{file: token}}}}
"""
ELSEWHERE = f"""{GOOD}
    networks: [edge]
    volumes: ["rows:/rows"]
networks: {{edge: {{external: true, name: "${{EDGE:-slipway-no-edge}}"}}}}
volumes: {{rows: {{external: true, name: slipway-no-rows}}}}
"""
LINE = "s3cret-line"
FILES = {"only.env": "A=1\n", "token": "open sesame"}

# What `docker` says there instead (a sed expression over `docker info`) → the words of the refusal.
ENGINES: dict[str, tuple[str, tuple[str, ...]]] = {
    "its Compose is too old": (
        's/"Version":"[^"]*",\\("ShortDescription":"Docker Compose"\\)/"Version":"v2.17.3",\\1/',
        ("its Compose is v2.17.3", "needs 2.20 or later"),
    ),
    "it has no Compose": ('s/"Name":"compose"/"Name":"other"/', ("it has no Compose v2", "docker-compose-plugin")),
    "its engine is too old": (
        's/"ServerVersion":"[^"]*"/"ServerVersion":"19.03.5"/',
        ("its Docker Engine is 19.03.5", "needs 20.10 or later"),
    ),
    "its disk is full": (
        f's|"DockerRootDir":"[^"]*"|"DockerRootDir":"{PLACE}/small"|',
        ("1 MB are free", "are needed", "docker image prune"),
    ),
}  # fmt: skip
NO_ENGINES = {
    "its engine does not run": "export DOCKER_HOST=unix:///run/nowhere.sock",
    "it has no docker": f"mkdir -p {PLACE}/empty; for tool in sh bash flock timeout df sed grep tail cat readlink "
    f'mkdir mv rm cut tr ls; do ln -sf "$(command -v $tool)" {PLACE}/empty/; done; PATH={PLACE}/empty',
}

# What the environment block holds → the error and its words. The stack needs COLOUR, only.env and token.
ENVIRONMENTS: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    "an env file": (
        {"variables": {"COLOUR": "red"}, "files": {"token": "x"}},
        "MissingEnvironmentFile", ("bad-input needs only.env", "slipway environment set --stack PATH"),
    ),
    "a secret file": (
        {"variables": {"COLOUR": "red"}, "files": {"only.env": "A=1"}},
        "MissingEnvironmentFile", ("bad-input needs token", "slipway environment set --stack PATH"),
    ),
    "a variable": (
        {"variables": {}, "files": FILES},
        "UnsetVariables", ("COLOUR", "slipway environment set"),
    ),
    "an env file that Compose can read": (
        {"variables": {"COLOUR": "red"}, "files": {**FILES, "only.env": f"A=1\nKEY!={LINE}\n"}},
        "BrokenStack", ("Compose on droplet bad-input-droplet", "line 2", "not shown"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InvalidInputCase]:
    with open_invalid_input_case(tmp_path_factory.mktemp("bad")) as case:
        case.publish("good", {})
        case.publish("arm", {"compose.yaml": ARM})
        case.publish("elsewhere", {"compose.yaml": ELSEWHERE})
        with _environment({"variables": {"COLOUR": "red"}, "files": FILES}):
            case.publish("needy", {"compose.yaml": NEEDY, **FILES})
        unmount = f"while umount {PLACE}/small 2>/dev/null; do :; done"  # what a killed run left, too
        case.droplet.sh(f"{unmount}; mkdir -p {PLACE}/small; mount -t tmpfs -o size=1m tmpfs {PLACE}/small")
        yield case
        case.droplet.sh(f"{unmount}; rm -rf {PLACE}")


@pytest.mark.parametrize("what", ENGINES)
def test_a_droplet_is_refused_when(what: str, case: InvalidInputCase) -> None:
    change, words = ENGINES[what]
    docker = f'#!/bin/sh\n[ "$1" = info ] || exec /usr/bin/docker "$@"\n/usr/bin/docker "$@" | sed \'{change}\'\n'
    with _entered_by(case, f"export PATH={PLACE}/bin:$PATH", docker):
        answer = case.deploy("good", SLIPWAY_DROPLET="bad-droplet")
    told = ("droplet bad-droplet at root@", "cannot take release good")
    assert_one_error(answer, REFUSED, "DropletNotReady", (*told, *words))


@pytest.mark.parametrize("what", NO_ENGINES)
def test_a_droplet_without_an_engine_is_refused_when(what: str, case: InvalidInputCase) -> None:
    with _entered_by(case, NO_ENGINES[what]):
        answer = case.deploy("good", SLIPWAY_DROPLET="bad-droplet")
    words = ("cannot take release good: no Docker Engine answers", "systemctl start docker")
    assert_one_error(answer, REFUSED, "DropletNotReady", words)


def test_images_for_another_architecture_are_refused(case: InvalidInputCase) -> None:
    with case.untouched():
        answer = case.deploy("arm")
    words = ("it is linux/amd64", "only (linux/arm64)", "platforms: [linux/amd64]")
    assert_one_error(answer, REFUSED, "DropletNotReady", words)


def test_a_network_and_a_volume_from_elsewhere_that_are_not_there_are_named_at_once(case: InvalidInputCase) -> None:
    with case.untouched():
        answer = case.deploy("elsewhere")
    words = (
        "it has no network slipway-no-edge", "docker network create slipway-no-edge",
        "it has no volume slipway-no-rows", "docker volume create slipway-no-rows",
    )  # fmt: skip
    assert_one_error(answer, REFUSED, "DropletNotReady", words)


@pytest.mark.parametrize("what", ENVIRONMENTS)
def test_a_release_is_refused_when_the_environment_lacks(what: str, case: InvalidInputCase) -> None:
    content, name, words = ENVIRONMENTS[what]
    with _environment(content), case.untouched():
        answer = case.deploy("needy")
    assert_one_error(answer, REFUSED, name, words)
    assert LINE not in answer.all


@pytest.mark.parametrize("what", ["an env file", "a secret file"])
def test_a_release_is_refused_before_its_build_when_the_environment_lacks(what: str, case: InvalidInputCase) -> None:
    content, name, words = ENVIRONMENTS[what]
    with _environment(content), case.untouched():
        answer = case.slipway("release", "--stack", str(case.place / "needy"), "--tag", "needy-2")
    assert_one_error(answer, REFUSED, name, words)
    assert "read the stack" in answer.out
    assert "build 1 images" not in answer.out


DIRECTORIES = {"is full": f"{PLACE}/small/full", "cannot be written": "/proc/slipway"}


@pytest.mark.parametrize("what", DIRECTORIES)
def test_a_droplet_is_refused_when_its_directory(what: str, case: InvalidInputCase) -> None:
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    directory = DIRECTORIES[what]
    if what == "is full":
        case.droplet.sh(f"mkdir -p {directory}; head -c 2m /dev/zero >{PLACE}/small/filling || true")
    there = replace(case.droplet, directory=directory)
    before = there.state()
    with saved(bad_droplet=Droplet.load(case.block).model_copy(update={"directory": directory})), case.untouched():
        answer = case.deploy("good", SLIPWAY_DROPLET="bad-droplet")
    case.droplet.sh(f"rm -f {PLACE}/small/filling")
    words = (f"{directory} cannot be locked: ", {"is full": "No space left"}.get(what, "No such file"))
    assert_one_error(answer, REFUSED, "DropletNotReady", words)
    assert there.state() == before


@contextmanager
def _entered_by(case: InvalidInputCase, command: str, docker: str = "") -> Iterator[None]:
    """The droplet as `bad-droplet`, where a key of its own runs `command` before each of ours."""
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    on = case.droplet
    on.sh(f"mkdir -p {PLACE}/bin; cat >{PLACE}/bin/docker; chmod 755 {PLACE}/bin/docker", docker.encode())
    with forced_command(on, f"{PLACE}/enter", command) as private:
        block = Droplet.model_validate({**plain(Droplet.load(case.block)), "private_key": private})
        with saved(bad_droplet=block), case.untouched():
            yield


@contextmanager
def _environment(content: dict[str, Any]) -> Iterator[None]:
    from blocks import StackEnvironment  # noqa: PLC0415 — after the environment is set

    with saved(bad_input=StackEnvironment(**content)):
        yield
