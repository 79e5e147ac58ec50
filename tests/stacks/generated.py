"""Stacks that nobody wrote, as the judge plays them."""

from functools import cache
from pathlib import Path

from tests.support.generated.drawn import drawn
from tests.support.generated.playable import BUILT, CHANGED, PlayableStack, playable_stacks
from tests.support.judge.extent import PLAYED
from tests.support.judge.stack import JudgedStack, added
from tests.support.lab.registry_namespace import RegistryNamespace

_LIKE = 8


@cache
def played() -> tuple[JudgedStack, ...]:
    """All of them: the same each time. Those that are drawn one after the other are often alike; the one that says most
    is taken."""
    found = drawn(playable_stacks(), PLAYED * _LIKE)
    groups = [found[start : start + _LIKE] for start in range(0, PLAYED * _LIKE, _LIKE)]
    largest = [max(group, key=lambda stack: len(stack.files["compose.yaml"])) for group in groups]
    return tuple(judged(stack, f"generated-{number:02}") for number, stack in enumerate(largest, 1))


def judged(stack: PlayableStack, name: str) -> JudgedStack:
    """A drawn stack under this name; its second release brings a file with new content."""

    def prepare(checkout: Path, registry: RegistryNamespace) -> None:
        place = stack.write(checkout)
        with (place / ".env").open("a", newline="") as file:
            file.write(stack.environment(name))
        # Images of its own: what is removed with this stack is in use by no other.
        (place / "src" / "Dockerfile").write_text(f'{BUILT}LABEL com.example.stack="{name}"\n')

    return JudgedStack(
        project=name,
        source=None,
        prepare=prepare,
        change=added(f"{stack.directory}/{CHANGED}", "another line\n"),
        concerns=stack.readers,
        stack=stack.directory,
        directory=stack.directory,
    )
