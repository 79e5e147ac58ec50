"""What a new release directory takes from an earlier one on the same droplet: hard links instead of sent files."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flows.core.release.bundle import FILES, SEED
from flows.core.release.tree import Entry, Kind, Tree, directories_of, parents

# Below this it is quicker to send all than to ask what is there.
WORTH_ASKING = 256 * 1024
_BATCH = 400
_STAYS: dict[str, Kind] = {"f": "file", "l": "link", "d": "directory"}


@dataclass(frozen=True)
class Reuse:
    """Files that an earlier release holds too.

    Args:
        names: name in the new release → name in the earlier one.
        unwanted: what of the earlier release is not to stand at its place in the new one.
        touched: how many files would have been taken, but are not as they were put there.
    """

    names: Mapping[str, str]
    unwanted: tuple[str, ...] = ()
    touched: int = 0

    @property
    def moved(self) -> dict[str, list[str]]:
        """Directory in the new release → names in the earlier one, of files that do not keep their place."""
        found: dict[str, list[str]] = {}
        for name, old in self.names.items():
            if name != old:
                found.setdefault(name.rpartition("/")[0], []).append(old)
        return found


def plan_reuse(tree: Tree, there: Tree, standing: Mapping[str, str]) -> Reuse:
    """Which files of a release can be taken from what is there: same content, same mode; also under another name.

    A file that moved is taken where its last part stayed: a directory that was renamed.

    Args:
        there: the earlier release, as it was put there.
        standing: what stands in its directory now, as `read_standing` returns it.
    """
    found, others = {}, []
    for name, entry in tree.items():
        if entry.kind == "file":
            known = there.get(name)
            if known and known.kind == "file" and known.digest == entry.digest and known.mode == entry.mode:
                found[name] = name
            else:
                others.append(name)
    found |= _moved(tree, others, there)
    names = {name: old for name, old in found.items() if standing.get(old) == _as_put(there[old])}
    return Reuse(names, tuple(_unwanted(tree, names, standing)), len(found) - len(names))


def _moved(tree: Tree, names: Sequence[str], there: Tree) -> dict[str, str]:
    digests = {tree[name].digest for name in names}
    by_content: dict[tuple[object, ...], str] = {}
    for name, entry in there.items():
        if entry.digest in digests:
            by_content.setdefault(_same(name, entry), name)
    return {name: by_content[key] for name in names if (key := _same(name, tree[name])) in by_content}


def _same(name: str, entry: Entry) -> tuple[object, ...]:
    return name.rpartition("/")[2], entry.kind, entry.digest, entry.mode


def differs_as_put(entry: Entry, standing: str | None) -> bool:
    """Whether what stands at a file's place is not what was put there, by its kind, mode, size and time."""
    return standing != _as_put(entry)


def _as_put(entry: Entry) -> str:
    return f"f {entry.mode:o} {entry.size} {entry.changed}"


def _unwanted(tree: Tree, names: Mapping[str, str], standing: Mapping[str, str]) -> Iterator[str]:
    """What is to go, outermost. What is sent replaces a file or link of its name; a directory is shared by both."""
    above = {FILES, SEED, *directories_of(tree)}
    gone: set[str] = set()
    for name, said in standing.items():  # a directory before what is in it
        if gone and any(parent in gone for parent in parents(name)):
            continue
        kind = _STAYS.get(said[0])
        stays = name in tree and tree[name].kind == kind and names.get(name, name) == name
        if not stays and not (kind == "directory" and name in above):
            gone.add(name)
            yield name


def link_lines(old: str, new: str) -> list[str]:
    """The lines that link all of an earlier release's files into the directory of one on its way.

    Args:
        old, new: the two directories.
    """
    return [
        f"for part in {FILES} {SEED}; do",
        f'    [ ! -d {shlex.quote(old)}/"$part" ] || cp -al -- {shlex.quote(old)}/"$part" {shlex.quote(new)}',
        "done",
    ]


def reuse_script(old: str, new: str, reuse: Reuse) -> bytes:
    """Link what is reused: a script for `sh`."""
    lines = ["set -eu", *link_lines(old, new), f"cd {shlex.quote(new)}"]
    lines += [shlex.join(["rm", "-rf", "--", *some]) for some in _batches(list(reuse.unwanted))]
    lines += ["new=$PWD", f"cd {shlex.quote(old)}"]
    for directory, olds in reuse.moved.items():
        to = f'"$new"/{shlex.quote(directory)}'
        lines.append(f"mkdir -p -- {to}")
        lines += [f"{shlex.join(['ln', '--', *some])} {to}" for some in _batches(olds)]
    return "\n".join([*lines, ""]).encode("utf-8", "surrogateescape")


def _batches(names: list[str]) -> Iterator[list[str]]:
    return (names[n : n + _BATCH] for n in range(0, len(names), _BATCH))
