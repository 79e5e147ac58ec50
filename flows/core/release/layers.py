"""The layers of a release's files: groups of files that stay the same, byte for byte, while their files do."""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import replace

from flows.core.release.tree import Entry, Tree

# A layer ends where the next file's name says so, once it has LEAST: so a new file moves the ends next to it alone.
LEAST, LARGEST = 4 * 1024 * 1024, 32 * 1024 * 1024
_ONE_IN = 16
_OVERHEAD = 1024


def in_layers(tree: Tree) -> tuple[dict[str, Entry], tuple[tuple[str, ...], ...]]:
    """The tree with each file's layer in it, and the names that each layer holds."""
    groups: list[list[str]] = []
    size = 0
    for name in sorted(name for name, entry in tree.items() if entry.kind == "file"):
        more = tree[name].size + _OVERHEAD
        full = size + more > LARGEST or (size >= LEAST and zlib.crc32(_bytes(name)) % _ONE_IN == 0)
        if not groups or full:
            groups.append([])
            size = 0
        groups[-1].append(name)
        size += more
    numbers = {name: number for number, group in enumerate(groups) for name in group}
    marked = {name: replace(entry, layer=numbers.get(name, 0)) for name, entry in tree.items()}
    return marked, tuple(map(tuple, groups))


def layer_key(tree: Tree, names: Sequence[str]) -> str:
    """A hash of what a layer holds: the same key, the same bytes."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(_bytes(f"{name}\0{tree[name].mode:o}\0{tree[name].digest}\0"))
    return digest.hexdigest()


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
