"""Small stacks that are to be refused, and what a refusal looks like."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.lab.cli import CliResult
from tests.support.lab.git_checkout import git
from tests.support.lab.lab_stack import LabStack, lab_stack

STACK = "bad-input"
REFUSED, FAILED = 2, 1
SCRATCH = "FROM scratch\nCOPY compose.yaml /\n"
# Runs nowhere: it is there to be built, pushed and refused.
GOOD = """
name: bad-input
services:
  only:
    image: ${REGISTRY}/only:${IMAGE_TAG}
    build: .
    command: [nothing]
"""


@dataclass(frozen=True)
class InvalidInputCase(LabStack):
    """What a case of invalid input may need: a place for stacks, a namespace of the registry, the droplet `blue`."""

    def stack(self, name: str, files: dict[str, str]) -> Path:
        """A git checkout of these files, Dockerfile included unless one is given."""
        directory = self.place / name
        for path, text in {"Dockerfile": SCRATCH, "compose.yaml": GOOD, **files}.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_text(text)
        git(directory, "init", "--quiet")
        git(directory, "add", "--all")
        git(directory, "commit", "--quiet", "--message", name)
        return directory

    def publish(self, tag: str, files: dict[str, str], **more: str) -> None:
        """Build and push a release of these files."""
        self.slipway_ok("build-push", "--stack", str(self.stack(tag, files)), "--tag", tag, **more)

    def deploy(self, tag: str, *words: str, **more: str) -> CliResult:
        return self.slipway("deploy", "--stack", STACK, "--tag", tag, *words, **more)

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Whatever happens inside, the stack on the droplet must be as it was."""
        before = self.droplet.state()
        yield
        assert self.droplet.state() == before


@contextmanager
def open_invalid_input_case(place: Path) -> Iterator[InvalidInputCase]:
    """A case in which nothing was released yet."""
    with lab_stack(InvalidInputCase, STACK, "blue", place) as case:
        yield case


def assert_one_error(said: CliResult, code: int, name: str, words: tuple[str, ...]) -> None:
    """It ended with this code and exactly one error, of this name and with these words, and without a stack trace."""
    assert said.code == code, said.all
    assert len(said.errors) == 1, said.all
    assert said.errors[0].startswith(f"{name}: "), said.err
    missing = [word for word in words if word not in said.err]
    assert not missing, f"{missing} not in: {said.err}"
    assert "Traceback" not in said.all
    assert "Finished in state Failed" not in said.out, said.out


def plain(block: Any) -> dict[str, Any]:
    """A block's own fields, unmasked."""
    return {name: getattr(block, name) for name in type(block).model_fields if name != "block_type_slug"}
