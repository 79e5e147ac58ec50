"""A shipment: the files of the source that a release brings, what was left out of them, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flows.core.release.bundle import FILES, SEED
from flows.core.release.tree import Tree, below, shown

_NAMED = 12


@dataclass(frozen=True)
class LeftOut:
    """A file or directory that does not ship, and why."""

    path: str
    why: str


@dataclass(frozen=True)
class MountedPath:
    """A path that services mount: whether they may write there, and what of the source ships with it."""

    path: str
    written: bool
    files: int
    size: int


@dataclass(frozen=True)
class Shipment:
    """The files of the source that a release brings.

    Args:
        tree: name below the release's directory → entry.
        sources: name of a file → where it lies on the build host.
    """

    tree: Tree = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    mounted: tuple[MountedPath, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def given(self) -> tuple[str, ...]:
        """The names of files whose content comes from the environment block."""
        return tuple(name for name, entry in self.tree.items() if entry.kind == "given")

    def sentences(self) -> list[str]:
        """What ships, one line each."""
        files = sum(one.kind == "file" for one in self.tree.values())
        lines = [f"{counted(files, self.size)} of the source ship with the release"]
        lines += [f"{shown(one.path)} ships {counted(one.files, one.size)}{_written(one)}" for one in self.mounted]
        if self.given:
            names = named_few([name.partition("/")[2] for name in self.given])
            lines.append(f"{names}: the content comes from the environment block, and does not ship")
        return lines

    def omissions(self) -> dict[str, str]:
        """What does not ship: why → a line that names it."""
        reasons: dict[str, list[str]] = {}
        for left in self.left_out:
            reasons.setdefault(left.why, []).append(left.path)
        return {why: f"{named_few(paths)}: left out, {why}" for why, paths in reasons.items()}

    def rows(self) -> list[dict[str, object]]:
        """One row a mount, a file from the environment block, and a path that was left out."""
        mounted: list[dict[str, object]] = [
            {"path": shown(one.path), "what": f"ships{_written(one)}", "files": one.files, "bytes": one.size}
            for one in self.mounted
        ]
        given: list[dict[str, object]] = [
            {"path": shown(n.partition("/")[2]), "what": "from the environment block"} for n in self.given
        ]
        left: list[dict[str, object]] = [
            {"path": shown(one.path), "what": f"left out, {one.why}"} for one in self.left_out
        ]
        return [*mounted, *given, *left]

    @property
    def size(self) -> int:
        """Bytes of all files that ship."""
        return sum(entry.size for entry in self.tree.values())


def place_of(relative: str, state: tuple[str, ...]) -> str:
    """Where a path of the source stands below the release's directory: what is written is brought from a place apart.

    Args:
        relative: the path below the files' root.
        state: the paths that services write to, below the same root.
    """
    kept = any(relative == one or relative.startswith(f"{one}/") for one in state)
    return f"{SEED if kept else FILES}/{relative}".removesuffix("/.")


def mounted_path(tree: Tree, path: str, place: str, written: bool) -> MountedPath:
    """What ships of one mounted path."""
    entries = [tree[name] for name in below(tree, place)]
    files = [entry for entry in entries if entry.kind == "file"]
    return MountedPath(path, written, len(files), sum(entry.size for entry in files))


def counted(files: int, size: int) -> str:
    """A number of files and their size, in words."""
    unit, factor = next(((u, f) for u, f in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)) if size >= f), ("bytes", 1))
    return f"{files:,} file{'s' * (files != 1)} ({size / factor:,.{0 if factor == 1 else 1}f} {unit})"


def _written(one: MountedPath) -> str:
    return ", which services may change: what they write there stays" if one.written else ""


def named_few(paths: Sequence[str]) -> str:
    """The first of these paths, and how many more there are."""
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return ", ".join(map(shown, paths[:_NAMED])) + more
