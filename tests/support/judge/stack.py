"""A stack for the judge: where it is, what is changed for its second release, and what is known of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.lab.registry_namespace import RegistryNamespace

Change = Callable[[Path], None]
Prepare = Callable[[Path, RegistryNamespace], None]


def unprepared(checkout: Path, registry: RegistryNamespace) -> None:
    """Nothing is to be done."""


@dataclass(frozen=True)
class JudgedStack:
    """A stack that is released, and run by plain Compose beside it.

    Args:
        project: its name as Compose says it.
        source: directory that holds it; None: `prepare` writes all of it.
        change: what is changed in the source for the second release; None: there is none.
        concerns: services that are given new content by that change which Compose does not look at; after each of them
            those that are in its network or process namespace.
        prepare: what the checkout needs besides the source.
        stack: what `--stack` is given, from the checkout's root; '' for the directory.
        directory: where the stack's compose file lies, from the checkout's root.
        files: what plain Compose is given with `-f`, where a file of another name lies beside.
        written: pattern of `SERVICE:PATH` → `keeps` or `grows`: what a service does to a file that it writes.
        refused: the error that a release ends with, on purpose.
        on_droplet: shell script for both droplets before each release; `$ROUND` is 1 or 2.
        afterwards: one that takes away what that made.
    """

    project: str
    source: Path | None
    change: Change | None = None
    concerns: tuple[str, ...] = ()
    prepare: Prepare = unprepared
    stack: str = ""
    directory: str = ""
    files: tuple[str, ...] = ()
    written: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    on_droplet: str = ""
    afterwards: str = "true"
    name: str = ""

    @property
    def called(self) -> str:
        """What it is called in reports."""
        return self.name or (self.source.name if self.source else self.project)

    @property
    def is_here(self) -> bool:
        """Whether it can be played: cases that are not ours lie beside the checkout, or not at all."""
        return self.source is None or self.source.is_dir()


def replaced(path: str, old: str, new: str) -> Change:
    """A change of one text in one file, in place."""

    def change(checkout: Path) -> None:
        file = checkout / path
        text = file.read_text()
        assert old in text, f"{path} does not hold {old!r}"
        file.write_text(text.replace(old, new))

    return change


def added(path: str, text: str) -> Change:
    """A change that appends to a file, or makes it."""

    def change(checkout: Path) -> None:
        file = checkout / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as open_file:
            open_file.write(text)

    return change


def new_image(dockerfile: str) -> Change:
    """A change that makes another image of a Dockerfile."""
    return added(dockerfile, 'LABEL edition="2"\n')
