"""The layers of a release's files: what an earlier release published is taken over, and only the rest is packed."""

import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from flows.core.release.tree import Entry, Stale, Tree

# A layer ends where the next file's name says so, once it has LEAST: so a new file moves the ends next to it alone.
LEAST, LARGEST = 4 * 1024 * 1024, 32 * 1024 * 1024
_ONE_IN = 16
_OVERHEAD = 1024


@dataclass(frozen=True)
class PublishedTree:
    """The files of a release that was published before.

    Args:
        stale: as in `Layering`.
        there: the numbers of the layers that the registry still has.
    """

    tree: Tree = field(default_factory=dict)
    stale: Stale = field(default_factory=dict)
    there: Collection[int] = ()

    def shared_with(self, tree: Tree) -> int:
        """Bytes of the files of another tree whose content this one has too."""
        return sum(entry.size for name, entry in tree.items() if _same(self.tree.get(name), entry))


@dataclass(frozen=True)
class Layering:
    """Which layer holds which file.

    Args:
        tree: the release's tree, with each file's layer in it.
        taken: the numbers, in the earlier release, of the layers that are taken over. They come first.
        packed: the names of the files in each layer that is packed anew.
        stale: layer → name → bytes of a file in it whose content is another by now, and in another layer.
    """

    tree: Tree
    taken: tuple[int, ...]
    packed: tuple[tuple[str, ...], ...]
    stale: Stale


@dataclass(frozen=True)
class _Taken:
    number: int
    live: Mapping[str, int]
    stale: Mapping[str, int]

    @property
    def size(self) -> int:
        return _size((*self.live.values(), *self.stale.values()))


def in_layers(tree: Tree, before: PublishedTree | None = None) -> Layering:
    """Give each file its layer: the one that an earlier release has it in, else a new one.

    A layer is packed anew without what is stale in it once that is more than half of it, or once a file that is stale
    there does not ship any more: what is taken out of a release is in none of its layers. Small layers are packed anew
    together with as much that is new, so that there are never many.
    """
    taken = list(_takeable(tree, before or PublishedTree()))
    held = {name for layer in taken for name in layer.live}
    new = {name for name, entry in tree.items() if entry.kind == "file" and name not in held}
    for layer in sorted(taken, key=lambda layer: layer.size):
        if layer.size >= LEAST or layer.size > _size(tree[name].size for name in new):
            break
        taken.remove(layer)
        new.update(layer.live)
    packed = _grouped(tree, new)
    layers = [*(layer.live for layer in taken), *packed]
    numbers = {name: number for number, names in enumerate(layers) for name in names}
    return Layering(
        {name: replace(entry, layer=numbers.get(name, 0)) for name, entry in tree.items()},
        tuple(layer.number for layer in taken),
        packed,
        {number: layer.stale for number, layer in enumerate(taken) if layer.stale},
    )


def _takeable(tree: Tree, before: PublishedTree) -> Iterator[_Taken]:
    held: dict[int, list[str]] = {}
    for name, entry in before.tree.items():
        if entry.kind == "file" and entry.layer in before.there:
            held.setdefault(entry.layer, []).append(name)
    for number, names in sorted(held.items()):
        sizes = {name: before.tree[name].size for name in names}
        live = {name: size for name, size in sizes.items() if _same(tree.get(name), before.tree[name])}
        stale = {**before.stale.get(number, {}), **{name: sizes[name] for name in names if name not in live}}
        ships = all(name in tree and tree[name].kind == "file" for name in stale)
        if live and ships and sum(stale.values()) <= sum(live.values()):
            yield _Taken(number, live, stale)


def _same(one: Entry | None, other: Entry) -> bool:
    return one is not None and one.kind == other.kind == "file" and one.digest == other.digest


def _size(sizes: Iterable[int]) -> int:
    return sum(size + _OVERHEAD for size in sizes)


def _grouped(tree: Tree, names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    groups: list[list[str]] = []
    size = 0
    for name in sorted(names):
        more = tree[name].size + _OVERHEAD
        full = size + more > LARGEST or (size >= LEAST and zlib.crc32(_bytes(name)) % _ONE_IN == 0)
        if not groups or full:
            groups.append([])
            size = 0
        groups[-1].append(name)
        size += more
    return tuple(map(tuple, groups))


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
