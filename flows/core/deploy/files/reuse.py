"""What a new release directory takes from an earlier one on the same droplet: hard links instead of sent files."""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from flows.core.release.tree import Entry, Tree

# Below this it is quicker to send all than to ask what is there.
WORTH_ASKING = 256 * 1024
_BATCH = 400
_MARK = "="


@dataclass(frozen=True)
class Reuse:
    """Files that an earlier release holds too.

    Args:
        names: name in the new release → name in the earlier one.
    """

    names: Mapping[str, str]

    def batches(self) -> Iterator[tuple[str, list[str]]]:
        """(directory in the new release, names in the earlier one); '' for files that keep their place."""
        kept = [name for name, old in self.names.items() if name == old]
        moved: dict[str, list[tuple[str, str]]] = {}
        for name, old in self.names.items():
            if name != old:
                moved.setdefault(name.rpartition("/")[0], []).append((name, old))
        yield from (("", kept[n : n + _BATCH]) for n in range(0, len(kept), _BATCH))
        for directory, pairs in moved.items():
            olds = [old for _, old in pairs]
            yield from ((directory, olds[n : n + _BATCH]) for n in range(0, len(olds), _BATCH))


def plan_reuse(tree: Tree, there: Tree) -> Reuse:
    """Which files of a release can be taken from what is there: same content, same mode; also under another name.

    A file that moved is taken where its last part stayed: a directory that was renamed.
    """
    by_content: dict[tuple[object, ...], str] = {}
    for name, entry in there.items():
        by_content.setdefault(_same(name, entry), name)
    names = {}
    for name, entry in tree.items():
        if entry.kind != "file":
            continue
        known = there.get(name)
        if known and (known.kind, known.digest, known.mode) == ("file", entry.digest, entry.mode):
            names[name] = name
        elif moved := by_content.get(_same(name, entry)):
            names[name] = moved
    return Reuse(names)


def _same(name: str, entry: Entry) -> tuple[object, ...]:
    return name.rpartition("/")[2], entry.kind, entry.digest, entry.mode


def reuse_script(old: str, new: str, reuse: Reuse) -> bytes:
    """Link the files, and print what the file system says of each: a script for `sh`.

    Args:
        old, new: the earlier release's directory, and the one on its way.
    """
    head = _SCRIPT.format(old=shlex.quote(old), new=shlex.quote(new), mark=_MARK)
    calls = (_call(directory, names) for directory, names in reuse.batches())
    return "\n".join([head, *calls, ""]).encode("utf-8", "surrogateescape")


# GNU `cp --link --parents` makes one process of a batch. A file that somebody changed in place has another time.
_SCRIPT = """export LC_ALL=C
cd {old} || exit 1
new={new}
kept() {{ echo '{mark}'; cp -lP --parents -- "$@" "$new" && stat -c '%a %s %Y' -- "$@"; }}
moved() {{ to=$new/$1; shift; echo '{mark}'; mkdir -p -- "$to" && ln -- "$@" "$to" && stat -c '%a %s %Y' -- "$@"; }}"""


def _call(directory: str, names: Iterable[str]) -> str:
    return shlex.join(["moved", directory, *names] if directory else ["kept", *names])


def read_reused(output: str, reuse: Reuse, there: Tree) -> frozenset[str]:
    """Names in the new release that were linked and are what the earlier release put there; all others are sent.

    A batch that could not be linked whole counts as not linked.
    """
    answers = output.split(f"{_MARK}\n")[1:]
    good: set[str] = set()
    new_names: dict[str, list[str]] = {}
    for name, old in reuse.names.items():
        new_names.setdefault(old, []).append(name)
    for (directory, olds), answer in zip(reuse.batches(), answers, strict=False):
        lines = answer.splitlines()
        if len(lines) != len(olds):
            continue
        for old, line in zip(olds, lines, strict=True):
            entry = there[old]
            if line == f"{entry.mode:o} {entry.size} {entry.changed}":
                good |= {n for n in new_names[old] if n == old or (directory and n.rpartition("/")[0] == directory)}
    return frozenset(good)
