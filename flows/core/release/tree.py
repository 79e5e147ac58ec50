"""A tree: every file, link and directory below a release's directory, each with its mode and a hash of its content."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flows.core.errors import BadRelease

FORMAT = 1
# A path's length on Linux (PATH_MAX).
_LONGEST = 4096
# A name that does not stand for something below the directory that it is relative to, or not in the shortest way.
_OUTSIDE = re.compile(r"(?:^|/)\.{0,2}(?:/|\Z)|\0")
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
# Layer → name → bytes of a file in that layer which the release has with another content, in another layer.
Stale = Mapping[int, Mapping[str, int]]


def dump_tree(tree: Tree, stale: Stale | None = None) -> bytes:
    """Write a tree as JSON, one entry a line; equal trees give equal bytes. Names of any bytes survive."""
    rows = ",\n".join(_line([name, *_row(tree[name])]) for name in sorted(tree))
    old = [
        [number, name, size] for number, names in sorted((stale or {}).items()) for name, size in sorted(names.items())
    ]
    more = f',"stale":{_line(old)}' if old else ""
    return f'{{"format":{FORMAT},"entries":[\n{rows}\n]{more}}}\n'.encode()


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
        if other := next((p for p in directories_of(tree) if p in tree and tree[p].kind != "directory"), ""):
            raise ValueError(f"something lies below {other!r}, which is no directory")
        return tree
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise BadRelease(f"the release's list of files is damaged: {error}. Build and push this tag again") from None


def read_stale(data: bytes) -> Stale:
    """What a list that `dump_tree` wrote says of its layers.

    Raises:
        BadRelease: it is damaged.
    """
    found: dict[int, dict[str, int]] = {}
    try:
        for number, name, size in json.loads(data).get("stale", ()):
            found.setdefault(int(number), {})[str(name)] = int(size)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BadRelease(f"the release's list of files is damaged: {error}. Build and push this tag again") from None
    return found


def below(tree: Tree, place: str) -> Iterator[str]:
    """The names in a tree that are a path, or lie below it."""
    return (name for name in tree if name == place or name.startswith(f"{place}/"))


def parents(name: str) -> Iterator[str]:
    """The directories above a name, outermost first."""
    parts = name.split("/")[:-1]
    return ("/".join(parts[: depth + 1]) for depth in range(len(parts)))


def directories_of(tree: Tree) -> set[str]:
    """All directories that hold something of a tree, whether they are in it or not."""
    return {
        parent for name in {name.rpartition("/")[0] for name in tree} for parent in (name, *parents(name)) if parent
    }


def total(tree: Tree) -> int:
    """Bytes of all its files."""
    return sum(entry.size for entry in tree.values())


def shown(name: str) -> str:
    """A name as a log line may hold it: what cannot be printed is escaped."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in name)


_line = json.JSONEncoder(separators=(",", ":")).encode


def _row(entry: Entry) -> list[Any]:
    row = [_LETTERS[entry.kind], f"{entry.mode:o}", entry.size, entry.digest, entry.target, entry.layer, entry.changed]
    while not row[-1]:
        row.pop()
    return row


def _entry(row: list[Any]) -> tuple[str, Entry]:
    defaults: list[Any] = [0, "", "", 0, 0]
    name, letter, mode, *rest = row
    size, digest, target, layer, changed = [*rest, *defaults[len(rest) :]]
    texts = type(name) is type(digest) is type(target) is str
    if not (texts and type(size) is type(layer) is type(changed) is int):
        raise ValueError(f"{name!r} is no entry")
    if len(name) > _LONGEST:
        raise ValueError("a name is longer than any that a file can have")
    if _OUTSIDE.search(name) or "\0" in target:
        raise ValueError(f"{name!r} lies outside of the release")
    return name, Entry(_KINDS[letter], int(mode, 8) & 0o7777, size, digest, target, layer, changed)


def is_inside(name: str) -> bool:
    """Whether a name stands for something below the directory that it is relative to; not for that directory itself."""
    return _OUTSIDE.search(name) is None
