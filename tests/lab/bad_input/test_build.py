"""A build that fails or hangs fails the release with its own words, and leaves nothing but what it found."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest

from tests.stacks.invalid_input import FAILED, STACK, InvalidInputCase, assert_one_error, open_invalid_input_case

pytestmark = pytest.mark.lab

# Nobody else sleeps this long, so a process that is left behind can be told by it.
NAP = 100_000 + int(token_hex(2), 16)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InvalidInputCase]:
    with open_invalid_input_case(tmp_path_factory.mktemp("bad")) as case:
        yield case


@pytest.fixture
def debris(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A dangling image of the stack, and one of another stack: stack → image id."""
    images = {stack: _dangling(stack, tmp_path) for stack in (STACK, "bad-neighbour")}
    yield images
    subprocess.run(["docker", "rmi", "-f", *images.values()], check=False, capture_output=True)


def test_a_build_that_fails_ends_with_its_own_error(case: InvalidInputCase) -> None:
    stack = case.stack("failing", {"Dockerfile": "FROM debian:trixie-slim\nRUN echo 'no such wheel' >&2; exit 3\n"})
    with case.untouched():
        answer = case.slipway("release", "--stack", str(stack))
    words = ("`docker compose build` ended with exit 17", "no such wheel", "exit code: 3")
    assert_one_error(answer, FAILED, "BuildFailed", words)


def test_after_a_failed_build_only_this_stack_s_debris_is_pruned(
    case: InvalidInputCase, debris: dict[str, str]
) -> None:
    stack = case.stack("pruned", {"Dockerfile": "FROM debian:trixie-slim\nRUN false\n"})
    answer = case.slipway("build-push", "--stack", str(stack), "--cleanup-on-failure")
    assert_one_error(answer, FAILED, "BuildFailed", ("exit 17",))
    assert _known(debris) == {"bad-neighbour"}


def test_without_clean_up_a_failed_build_prunes_nothing(case: InvalidInputCase, debris: dict[str, str]) -> None:
    stack = case.stack("kept", {"Dockerfile": "FROM debian:trixie-slim\nRUN false\n"})
    answer = case.slipway("build-push", "--stack", str(stack), "--no-cleanup-on-failure", CI="true")
    assert_one_error(answer, FAILED, "BuildFailed", ("exit 17",))
    assert _known(debris) == {STACK, "bad-neighbour"}


def test_a_dockerfile_that_is_not_there_fails_the_build(case: InvalidInputCase) -> None:
    compose = f"name: {STACK}\nservices: {{a: {{build: {{context: ., dockerfile: Other}}}}}}\n"
    answer = case.slipway("build-push", "--stack", str(case.stack("no-file", {"compose.yaml": compose})))
    assert_one_error(answer, FAILED, "BuildFailed", ("open Other: no such file",))


def test_a_build_that_hangs_is_ended_by_its_timeout_with_all_its_processes(
    case: InvalidInputCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # others build at the same time, elsewhere
    stack = case.stack("hanging", {"Dockerfile": f"FROM debian:trixie-slim\nRUN sleep {NAP}\n"})
    with case.untouched():
        answer = case.slipway("release", "--stack", str(stack), SLIPWAY_BUILD_TIMEOUT="4")
    words = ("did not end within 4 s and was ended", "SLIPWAY_BUILD_TIMEOUT")
    assert_one_error(answer, FAILED, "BuildFailed", words)
    assert _processes(f"sleep {NAP}", f"{tmp_path}/slipway-build-") == []


def _dangling(stack: str, directory: Path) -> str:
    (directory / "Dockerfile").write_text(f'FROM scratch\nLABEL com.docker.compose.project="{stack}" of="{NAP}"\n')
    argv = ["docker", "build", "-q", str(directory)]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def _known(images: dict[str, str]) -> set[str]:
    """The stacks whose image the engine still has."""
    listed = subprocess.run(
        ["docker", "images", "-aq", "--no-trunc"], check=True, capture_output=True, text=True
    ).stdout
    return {stack for stack, image in images.items() if image in listed}


def _processes(*needles: str) -> list[str]:
    """Command lines on this machine, the build host's engine included, that hold one of the needles."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # it has ended
    return [line for line in lines if any(needle in line for needle in needles)]
