"""Walks what a stack mounts, by names and sizes alone: what there is, what is left out, and what cannot ship."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from flows.core.errors import BrokenStack, LinkLeadsOut, ReleaseTooLarge, UnreadableFile
from flows.core.release.shipment import LeftOut, place_of
from flows.core.release.tree import Entry, shown
from flows.core.stack.files.ignore import IGNORE_FILE, IgnoreRules
from flows.core.stack.files.shipped_files import StackFiles
from flows.core.stack.stack import inside
from flows.settings import Settings
from flows.tasks.stack.ignored import ignored_by_git, rules_above, rules_of

NAMED_THERE = f"{IGNORE_FILE} names it"
GITS_OWN = "it is git's own"
# What the user, or everybody, knows to stay behind.
SAID = (NAMED_THERE, GITS_OWN)
BY_GIT = f"git ignores it (to ship it: !PATH in {IGNORE_FILE})"
WRITTEN = f"Stop what writes there, or name it in {IGNORE_FILE}"
_MB = 1_000_000


@dataclass(frozen=True)
class Found:
    """A file as it lay there when it was walked by.

    Args:
        meant: the user said that it ships, whatever it looks like.
    """

    path: str
    mode: int
    size: int
    changed_ns: int
    meant: bool = False


@dataclass
class Walked:
    """What was found: name in the release → file; all that is no file; and what was left out."""

    files: dict[str, Found] = field(default_factory=dict)
    others: dict[str, Entry] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()


def walk(sources: StackFiles, settings: Settings) -> Walked:
    """Walk everything that the stack mounts.

    Raises:
        ReleaseTooLarge: before anything was read.
        LinkLeadsOut, UnreadableFile, BrokenStack
    """
    return _Walk(sources, settings).run()


def unreadable(path: str, error: OSError) -> UnreadableFile:
    """The error for a file or directory that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return UnreadableFile(f"{path} vanished while it was read. {WRITTEN}")
    return UnreadableFile(
        f"{path} cannot be read: {error.strerror or error}. Let this user read it, or name it in {IGNORE_FILE}"
    )


class _Walk:
    def __init__(self, sources: StackFiles, settings: Settings) -> None:
        self._sources = sources
        self._settings = settings
        self._state = tuple(sources.relative(path) for path in sources.state)
        self._named = tuple(dict.fromkeys((*sources.shipped, *sources.state, *_mounted(sources))))
        self._roots = [path for path in self._named if os.path.lexists(path)]
        self._real = [os.path.realpath(path) for path in self._named]
        self._given = {entry.path: entry for entry in sources.environment_files}
        self._same = {one: entry.path for entry in sources.environment_files for one in _identity(entry.path)}
        self._rules = rules_above(self._roots, sources.root, os.path.dirname(sources.compose_files[0]), settings.ships)
        self._ignored = ignored_by_git(self._roots)
        self._walked = Walked()
        self._left: dict[str, str] = {}
        self._astray: list[str] = []
        self._seen: set[str] = set()
        self._size = 0

    def run(self) -> Walked:
        for path, entry in self._given.items():
            if any(inside(path, root) for root in self._named):
                self._give(path, entry.mode, entry.path)
        for root in sorted(self._roots, key=lambda path: path.count("/")):
            if not self._through_link(root):
                self._root(root)
        if self._astray:
            raise LinkLeadsOut(
                f"{', '.join(self._astray)}: leads out of what the stack mounts, so it would lead to something else on "
                f"a droplet. Put what it leads to in its place, or name it in {IGNORE_FILE}; !PATH there ships it as is"
            )
        self._walked.left_out = tuple(LeftOut(self._sources.relative(p), why) for p, why in self._left.items())
        return self._walked

    def _root(self, path: str) -> None:
        """What is mounted itself: a link is followed, and being ignored by git does not count, for it is named."""
        try:
            found = os.stat(path)
        except OSError as error:
            raise unreadable(path, error) from None
        written = path in self._sources.state
        directory = stat.S_ISDIR(found.st_mode)
        said = self._rules.left_out(path, directory=directory)
        if said and path not in self._given:
            if not written:
                raise BrokenStack(f"the stack mounts {path}, and {IGNORE_FILE} leaves it out. Take one of the two away")
            self._left[path] = NAMED_THERE
        elif written and directory and said is None and path in self._ignored:
            self._left[path] = f"git ignores it, and services write there (to ship it: !PATH in {IGNORE_FILE})"
        else:
            self._take(path, found, self._rules, said is False)

    def _take(self, path: str, found: os.stat_result, rules: IgnoreRules, meant: bool) -> None:
        """Take one file or directory; links aside."""
        name = self._name(path)
        if path in self._seen or name in self._walked.others:
            return
        self._seen.add(path)
        mode = stat.S_IMODE(found.st_mode)
        if stat.S_ISDIR(found.st_mode):
            self._count(path, 0)
            self._walked.others[name] = Entry("directory", mode)
            self._directory(path, rules + rules_of(path))
        elif not stat.S_ISREG(found.st_mode):
            self._left[path] = "it is neither a file, a directory nor a link"
        elif twin := self._same.get((found.st_dev, found.st_ino)):
            self._give(path, mode, twin)
        else:
            self._count(path, found.st_size)
            self._walked.files[name] = Found(path, mode, found.st_size, found.st_mtime_ns, meant)

    def _directory(self, path: str, rules: IgnoreRules) -> None:
        try:
            with os.scandir(path) as entries:
                below = sorted(entries, key=lambda entry: entry.name)
            for entry in below:
                self._entry(entry, rules)
        except OSError as error:
            raise unreadable(error.filename or path, error) from None

    def _entry(self, entry: os.DirEntry[str], rules: IgnoreRules) -> None:
        path = entry.path
        if path in self._given:
            return
        found = entry.stat(follow_symlinks=False)
        said = rules.left_out(path, directory=stat.S_ISDIR(found.st_mode))
        if said:
            self._left[path] = NAMED_THERE
        elif entry.name == ".git":
            self._left[path] = GITS_OWN
        elif said is None and path in self._ignored:
            self._left[path] = BY_GIT
        elif stat.S_ISLNK(found.st_mode):
            self._link(path, said is False)
        else:
            self._take(path, found, rules, said is False)

    def _link(self, path: str, meant: bool) -> None:
        if not self._stays(path):
            if path in self._named:
                return  # a mount of exactly this link: what it leads to arrives in its place
            if not meant:
                self._astray.append(f"{shown(self._sources.relative(path))} → {shown(os.readlink(path))}")
        self._count(path, 0)
        self._walked.others[self._name(path)] = Entry("link", 0o777, target=os.readlink(path))

    def _stays(self, path: str) -> bool:
        """Whether a link leads to something that is mounted too, and is written so that it does wherever it lies."""
        target = os.readlink(path)
        leads_to = os.path.normpath(os.path.join(os.path.dirname(path), target))
        within = any(inside(leads_to, root) for root in self._named)
        return not target.startswith("/") and within and any(inside(os.path.realpath(path), p) for p in self._real)

    def _give(self, path: str, mode: int, environment_file: str) -> None:
        self._walked.others[self._name(path)] = Entry("given", mode, target=self._sources.relative(environment_file))

    def _count(self, path: str, size: int) -> None:
        self._size += size
        number, limits = len(self._walked.files) + len(self._walked.others), self._settings
        over = ""
        if self._size > limits.ships_megabytes * _MB:
            over = f"more than {limits.ships_megabytes:,} MB (SLIPWAY_SHIPS_MEGABYTES)"
        elif number > limits.ships_entries:
            over = f"more than {limits.ships_entries:,} files and directories (SLIPWAY_SHIPS_ENTRIES)"
        if over:
            root = next(root for root in self._named if inside(path, root))
            raise ReleaseTooLarge(
                f"the files that the stack mounts come to {over}; counting ended at {shown(path)}, below {root}. Name "
                f"what is not needed in {IGNORE_FILE}, put large data into an image or a volume, or raise the limit"
            )

    def _name(self, path: str) -> str:
        return place_of(self._sources.relative(path), self._state)

    def _through_link(self, root: str) -> bool:
        """Whether a path leads through a link in another that is mounted: it arrives with what the link leads to."""
        outer = [other for other in self._roots if other != root and inside(root, other)]
        return any(os.path.islink(p) and self._stays(p) for other in outer for p in _between(root, other))


def _between(path: str, outer: str) -> Iterator[str]:
    place = path
    while place != outer:
        yield place
        place = os.path.dirname(place)


def _mounted(sources: StackFiles) -> Iterator[str]:
    """Everything that a service mounts, also inside of what another one mounts."""
    return (path for paths in sources.readers.values() for path in paths)


def _identity(path: str) -> Sequence[tuple[int, int]]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return [(found.st_dev, found.st_ino)]
