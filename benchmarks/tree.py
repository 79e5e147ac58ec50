"""A stack that mounts a tree of files read-only, and the tree: as many files and megabytes as are asked for."""

import random
import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.command import run

MB = 1_000_000
_PLACES = 100
_CHANGED = 100  # one file in so many changes
_SIZES = (0.1, 0.4, 1.0, 2.5)  # beside the mean, which they have together
_WORDS = (
    "droplet",
    "release",
    "layer",
    "record",
    "colour",
    "switch",
    "gate",
    "probe",
    "lock",
    "tree",
    "bundle",
    "digest",
)
_COMPOSE = """name: {name}
services:
  web:
    build: .
    image: ${{REGISTRY:?}}/web:${{IMAGE_TAG:?}}
    init: true
    volumes: ["./tree:/srv/tree:ro"]
"""
_DOCKERFILE = 'FROM debian:trixie-slim\nCMD ["sleep", "infinity"]\n'


@dataclass(frozen=True)
class TreeSize:
    """How large a tree is."""

    files: int
    megabytes: int

    def __str__(self) -> str:
        return f"{self.files:,} files and {self.megabytes:,} MB"


def tree_size(text: str) -> TreeSize:
    """Read FILESxMEGABYTES."""
    files, megabytes = text.split("x")
    return TreeSize(int(files), int(megabytes))


@dataclass(frozen=True)
class TreeStack:
    """A stack of one service in a checkout of its own, and the tree that it mounts."""

    directory: Path
    size: TreeSize

    @property
    def tree(self) -> Path:
        return self.directory / "tree"

    def empty(self) -> None:
        """Remove all files of the tree."""
        shutil.rmtree(self.tree, ignore_errors=True)
        self.tree.mkdir()

    def fill(self, seed: int) -> None:
        """Write the tree; half of its bytes are text, half of them cannot be packed."""
        chance = random.Random(seed)  # noqa: S311  no secret
        mean = self.size.megabytes * MB // self.size.files
        for number in range(self.size.files):
            file = self.tree / f"part-{number % _PLACES:02d}" / f"file-{number:05d}.{'txt' if number % 2 else 'bin'}"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(_content(chance, file.suffix, int(mean * _SIZES[number // 2 % len(_SIZES)])))

    def change(self, seed: int) -> int:
        """Change one file in a hundred, wherever they lie; returns their bytes."""
        chance = random.Random(seed)  # noqa: S311  no secret
        files = sorted(path for path in self.tree.rglob("*") if path.is_file())
        changed = chance.sample(files, len(files) // _CHANGED)
        for file in changed:
            file.write_bytes(_content(chance, file.suffix, file.stat().st_size))
        return sum(file.stat().st_size for file in changed)


def make_tree_stack(directory: Path, name: str, size: TreeSize) -> TreeStack:
    """Make the stack in a directory, its tree empty."""
    stack = TreeStack(directory, size)
    stack.tree.mkdir(parents=True)
    (directory / "docker-compose.yml").write_text(_COMPOSE.format(name=name))
    (directory / "Dockerfile").write_text(_DOCKERFILE)
    run(["git", "init", "--quiet"], cwd=directory)
    return stack


def _content(chance: random.Random, suffix: str, size: int) -> bytes:
    if suffix == ".bin":
        return chance.randbytes(size)
    lines = [f"{chance.random()} {' '.join(chance.choices(_WORDS, k=12))}\n" for _ in range(64)]
    block = "".join(lines).encode()
    return (block * (size // len(block) + 1))[:size]
