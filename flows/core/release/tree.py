"""A tree: every file, link and directory below a release's directory, each with its mode and a hash of its content."""

import json
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flows.core.errors import BadRelease

FORMAT = 1
Kind = Literal["file", "link", "directory", "given"]
_LETTERS: dict[Kind, str] = {"file": "f", "link": "l", "directory": "d", "given": "g"}
_KINDS: dict[str, Kind] = {letter: kind for kind, letter in _LETTERS.items()}


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, link or directory.

    Args:
        kind: `given` is a file whose content the environment block holds, so neither hash nor size of it is known here.
        mode: permission bits.
        size: bytes of a file.
        digest: SHA-256 of a file's content, in hex.
        target: where a link leads; of a given file, the environment file whose content it has.
        layer: which of the release's layers of files holds a file's content.
        changed: when a file was put on a droplet, in seconds since the epoch.
    """

    kind: Kind
    mode: int = 0
    size: int = 0
    digest: str = ""
    target: str = ""
    layer: int = 0
    changed: int = 0

    @property
    def content(self) -> tuple[str, str, str]:
        """What makes two entries hold the same, whatever their mode."""
        return self.kind, self.digest, self.target


Tree = Mapping[str, Entry]


def dump_tree(tree: Tree) -> bytes:
    """Write a tree as JSON, one entry a line; equal trees give equal bytes. Names of any bytes survive."""
    rows = ",\n".join(json.dumps([name, *_row(tree[name])], separators=(",", ":")) for name in sorted(tree))
    return f'{{"format":{FORMAT},"entries":[\n{rows}\n]}}\n'.encode()


def read_tree(data: bytes) -> dict[str, Entry]:
    """Parse what `dump_tree` wrote.

    Raises:
        BadRelease: it is damaged, of another format, or names something outside of the release.
    """
    try:
        found = json.loads(data)
        if found["format"] != FORMAT:
            raise BadRelease(f"the release's list of files is of format {found['format']}, and {FORMAT} is read here")
        tree = dict(_entry(row) for row in found["entries"])
        for name in tree:
            if other := next((p for p in parents(name) if p in tree and tree[p].kind != "directory"), ""):
                raise ValueError(f"{name!r} lies below {other!r}, which is no directory")
        return tree
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise BadRelease(f"the release's list of files is damaged: {error}. Build and push this tag again") from None


def below(tree: Tree, place: str) -> Iterator[str]:
    """The names in a tree that are a path, or lie below it."""
    return (name for name in tree if name == place or name.startswith(f"{place}/"))


def parents(name: str) -> Iterator[str]:
    """The directories above a name, outermost first."""
    parts = name.split("/")[:-1]
    return ("/".join(parts[: depth + 1]) for depth in range(len(parts)))


def total(tree: Tree) -> int:
    """Bytes of all its files."""
    return sum(entry.size for entry in tree.values())


def shown(name: str) -> str:
    """A name as a log line may hold it: what cannot be printed is escaped."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in name)


def _row(entry: Entry) -> list[Any]:
    row = [_LETTERS[entry.kind], f"{entry.mode:o}", entry.size, entry.digest, entry.target, entry.layer, entry.changed]
    while not row[-1]:
        row.pop()
    return row


def _entry(row: list[Any]) -> tuple[str, Entry]:
    defaults: list[Any] = [0, "", "", 0, 0]
    name, letter, mode, *rest = row
    size, digest, target, layer, changed = [*rest, *defaults[len(rest) :]]
    numbers = [size, layer, changed]
    if not all(isinstance(text, str) for text in (name, digest, target)) or any(type(n) is not int for n in numbers):
        raise ValueError(f"{name!r} is no entry")
    if not is_inside(name) or "\0" in name + target:
        raise ValueError(f"{name!r} lies outside of the release")
    return name, Entry(_KINDS[letter], int(mode, 8) & 0o7777, size, digest, target, layer, changed)


def is_inside(name: str) -> bool:
    """Whether a name stands for something below the directory that it is relative to."""
    return (
        bool(name)
        and not name.startswith("/")
        and posixpath.normpath(name) == name
        and not name.startswith("../")
        and name != ".."
    )
