"""What a release brings to paths that services write to: a three-way comparison, as of a merge.

The base is what the release before brought. What the service has changed since stays the service's; what it has not, is
brought up to date. Names are relative to the directory of what outlives releases.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from flows.core.release.bundle import SEED
from flows.core.release.tree import Entry, Tree, parents, shown
from flows.core.stack.files.mounts import Rule

Verb = Literal["all", "delete", "remove-directory", "directory", "put", "mode"]
BOTH = "the release and a service have both changed it: the service's stays"
DELETED = "the release has changed it and a service has deleted it: it stays deleted"
GONE = "the release has it no more and a service has changed it: it stays"
BELOW = "a service has put something else in the place of its directory: it is not brought"
QUICKER = "a service changed it while the release was put in force: the service's stays"
_PREFIX = f"{SEED}/"
_NAMED = 12


@dataclass(frozen=True)
class PathChange:
    """One change to a path.

    Args:
        there: what must still be there when it is made.
        mode: permission bits that it is given.
    """

    verb: Verb
    path: str
    there: Entry | None = None
    mode: int = 0


@dataclass(frozen=True)
class Bringing:
    """What is to be changed, in this order, and what stays as services have it: path → why.

    Args:
        refused: the same, where the stack says that a release is to be refused then.
    """

    changes: tuple[PathChange, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict, hash=False)
    refused: Mapping[str, str] = field(default_factory=dict, hash=False)


def brought(tree: Tree) -> dict[str, Entry]:
    """The part of a release's tree that goes to what services write to. A link's target is hashed, as looks are."""
    return {
        name.removeprefix(_PREFIX): replace(entry, target=_hashed(entry.target)) if entry.kind == "link" else entry
        for name, entry in tree.items()
        if name.startswith(_PREFIX)
    }


def mounted_roots(state: Iterable[str], trees: Iterable[Tree]) -> frozenset[str]:
    """The mounted paths: those of a release, and those whose files came with releases before."""
    return frozenset(state) | {
        name for tree in trees for name in tree if not any(place in tree for place in parents(name))
    }


def in_question(bases: Sequence[Tree], new: Tree, roots: Collection[str]) -> tuple[str, ...]:
    """The paths that have to be looked at: those that a base and the release do not have alike, what holds them, and
    the mounted paths themselves.

    Args:
        bases: what releases before brought. After an interrupted run there are two; without any, all is in question.
    """
    known = bases or ({},)
    names = {name for base in known for name in base.keys() | new.keys() if _differs(base.get(name), new.get(name))}
    roots = {root for root in roots if any(root in tree for tree in (*known, new))}
    above = {place for name in names for place in parents(name) if any(_holds(root, place) for root in roots)}
    return tuple(sorted(names | above | roots))


def plan_bringing(
    bases: Sequence[Tree],
    new: Tree,
    found: Mapping[str, Entry | None],
    roots: Collection[str],
    rules: Mapping[str, Rule],
) -> Bringing:
    """Decide what becomes of each path.

    Args:
        found: what stands at each path in question.
        roots: the mounted paths.
        rules: path → what becomes of what both have changed, there and below.
    """
    plan = _Plan(bases, new, found, rules)
    whole = [root for root in roots if root in new and found.get(root) is None]
    for root in sorted(whole):
        plan.changes.append(PathChange("all", root))
    for path in sorted(found):
        if not any(_holds(root, path) for root in whole):
            plan.judge(path)
    removed = sorted(plan.removed, key=lambda change: (change.path.count("/"), change.path), reverse=True)
    return Bringing((*removed, *plan.changes), plan.kept, plan.refused)


class _Plan:
    def __init__(
        self, bases: Sequence[Tree], new: Tree, found: Mapping[str, Entry | None], rules: Mapping[str, Rule]
    ) -> None:
        self._bases, self._new, self._found, self._rules = bases, new, found, rules
        self.changes: list[PathChange] = []
        self.removed: list[PathChange] = []
        self.kept: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        self._blocked: set[str] = set()
        self._made: set[str] = set()

    def judge(self, path: str) -> None:
        new, there = self._new.get(path), self._found[path]
        if any(place in self._blocked for place in parents(path)):
            if new is not None and self._changed(path):
                self._keep(path, BELOW)
        elif new is None:
            self._gone(path, there)
        elif new.kind == "directory":
            self._directory(path, new, there)
        elif there is not None and there.content == new.content:
            self._mode(path, new, there)
        elif self._untouched(path, there) or (there is not None and there.kind == "directory" and not self._had(path)):
            self._put(path, new, there)
        elif self._changed(path):
            self._conflict(path, new, there)

    def _gone(self, path: str, there: Entry | None) -> None:
        if there is None or not self._had(path):
            return
        if there.kind == "directory":
            self.removed.append(PathChange("remove-directory", path))
        elif self._untouched(path, there):
            self.removed.append(PathChange("delete", path, there))
        else:
            self._keep(path, GONE)

    def _directory(self, path: str, new: Entry, there: Entry | None) -> None:
        if there is None:
            if not self._had(path):
                self._make(path)
        elif there.kind == "directory":
            self._mode(path, new, there)
        elif self._untouched(path, there):
            self.removed.append(PathChange("delete", path, there))
            self._make(path)
        else:
            self._blocked.add(path)
            if self._changed(path):
                self._keep(path, BOTH)

    def _put(self, path: str, new: Entry, there: Entry | None) -> None:
        for place in parents(path):
            if place in self._found and self._found[place] is None:
                self._make(place)
        mode = new.mode
        if there is not None and there.mode not in {base[path].mode for base in self._bases if path in base}:
            mode = there.mode if there.kind == new.kind else new.mode
        self.changes.append(PathChange("put", path, there, mode))

    def _conflict(self, path: str, new: Entry, there: Entry | None) -> None:
        rule = _rule(self._rules, path)
        why = DELETED if there is None else BOTH
        if rule == "take":
            self._put(path, new, there)
        elif rule == "refuse":
            self.refused[path] = why
        else:
            self._keep(path, why)

    def _make(self, path: str) -> None:
        if path not in self._made:
            self._made.add(path)
            entry = self._new.get(path)
            self.changes.append(PathChange("directory", path, mode=entry.mode if entry else 0o755))

    def _mode(self, path: str, new: Entry, there: Entry) -> None:
        before = {base[path].mode for base in self._bases if path in base}
        if new.kind != "link" and new.mode != there.mode and there.mode in before:
            self.changes.append(PathChange("mode", path, there, new.mode))

    def _keep(self, path: str, why: str) -> None:
        self.kept[path] = why

    def _had(self, path: str) -> bool:
        return any(path in base for base in self._bases)

    def _changed(self, path: str) -> bool:
        """Whether the release brings something else than every release before did."""
        new = self._new.get(path)
        return not self._bases or any(_differs(base.get(path), new) for base in self._bases)

    def _untouched(self, path: str, there: Entry | None) -> bool:
        """Whether what stands there is what some release brought; nothing, where none brought anything."""
        before = [base.get(path) for base in self._bases] or [None]
        if there is None:
            return None in before
        return any(entry is not None and entry.content == there.content for entry in before)


def _differs(one: Entry | None, other: Entry | None) -> bool:
    if one is None or other is None:
        return one is not other
    return one.content != other.content or (one.kind != "link" and one.mode != other.mode)


def _rule(rules: Mapping[str, Rule], path: str) -> Rule:
    return next((rules[place] for place in (path, *reversed(tuple(parents(path)))) if place in rules), "keep")


def _holds(root: str, path: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def _hashed(target: str) -> str:
    return hashlib.sha256(target.encode("utf-8", "surrogateescape")).hexdigest()


def sentences(kept: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(why, paths) of what stays as services have it, each reason once."""
    for why in dict.fromkeys(kept.values()):
        paths = [shown(path) for path, reason in kept.items() if reason == why]
        yield why, ", ".join(paths[:_NAMED]) + (f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else "")
