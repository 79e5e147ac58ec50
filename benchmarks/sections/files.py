"""A large tree of files that the stack mounts: listed, published and put on the droplet, beside rsync and tar."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.bench import Bench
from benchmarks.command import BenchmarkFailed
from benchmarks.lab import NAME
from benchmarks.measure import Section, judged, median, ratio, seconds, timed, times
from benchmarks.peers.rsync import empty_peers, install_rsync, rsync_tree, tar_tree
from benchmarks.slipway import Ran, command
from benchmarks.tree import MB, TreeStack, make_tree_stack
from flows.core.droplet.directories import COMMAND

BESIDE_RSYNC = 1.5
MEMORY = 200
SENT_AGAIN = 1.5
_LIST, _PUBLISH, _PUT = "list files", "publish release", "put files"
_RSYNC, _TAR = "rsync -a --delete over ssh", "tar | ssh tar"
_RESOLVE = (
    f"began=$(date +%s%N); /opt/slipway/{NAME}/current/{COMMAND} config --quiet; "
    'awk "BEGIN { print ($(date +%s%N) - $began) / 1e9 }"'
)
_FIRST, _SECOND = "first release", "second release"


@dataclass
class _Seen:
    """What was measured of one piece of work in one release: seconds, and bytes sent, a run each."""

    spent: list[float] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)

    def add(self, spent: float, sent: int | None = None) -> None:
        self.spent.append(spent)
        self.sent += [] if sent is None else [sent]

    @property
    def bytes(self) -> str:
        return f"{int(median(self.sent)):,} B" if self.sent else ""


@dataclass
class _Files:
    """The work of both releases, and the most memory that each command needed."""

    bench: Bench
    stack: TreeStack
    rsync: bool
    seen: dict[tuple[str, str], _Seen] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)
    changed: list[int] = field(default_factory=list)
    resolving: list[float] = field(default_factory=list)

    def of(self, work: str, release: str) -> _Seen:
        return self.seen.setdefault((work, release), _Seen())

    def round(self, number: int) -> None:
        """One release of an empty tree, so that images are there; one with all files, and one with a few changed."""
        self.bench.start_over()
        empty_peers(self.bench)
        self.stack.empty()
        self._release(f"{number}-0", None)
        self.bench.tell(f"files: writing {self.stack.size}")
        self.stack.fill(seed=number)
        self._all(_FIRST, f"{number}-1")
        self.changed.append(self.stack.change(seed=1000 + number))
        self._all(_SECOND, f"{number}-2")
        self.resolving.append(min(float(self.bench.lab.inside(_RESOLVE)) for _ in range(3)))

    def _all(self, release: str, tag: str) -> None:
        self._release(tag, release)
        peers = {_RSYNC: rsync_tree} if self.rsync else {}
        peers |= {_TAR: tar_tree} if release == _FIRST else {}
        for name, work in peers.items():
            self._peer(name, release, work)

    def _release(self, tag: str, release: str | None) -> None:
        built, published = self._command("registry", "build-push", "--stack", str(self.stack.directory), "--tag", tag)
        put, arrived = self._command("droplet", "deploy", "--tag", tag)
        if release is None:
            return
        self.of(_LIST, release).add(built.spent(_LIST))
        self.of(_PUBLISH, release).add(built.spent(_PUBLISH), published)
        self.of(_PUT, release).add(put.spent(_PUT), arrived)

    def _command(self, part: str, *words: str) -> tuple[Ran, int]:
        """A command of ours, and how many bytes that part received meanwhile."""
        os.sync()
        before = self.bench.lab.received(part)
        ran = command(*words)
        self.peaks[words[0]] = max(self.peaks.get(words[0], 0), ran.peak)
        self.bench.tell(f"files: {' '.join(words[-2:])} {words[0]} {ran.seconds:.1f} s, {ran.peak // MB} MB")
        return ran, self.bench.lab.received(part) - before

    def _peer(self, name: str, release: str, work: Callable[[Bench, TreeStack], None]) -> None:
        os.sync()
        before = self.bench.lab.received("droplet")
        spent = timed(lambda: work(self.bench, self.stack))
        self.of(name, release).add(spent, self.bench.lab.received("droplet") - before)
        self.bench.tell(f"files: {name}, {release}: {spent:.2f} s")


def measure(bench: Bench) -> list[Section]:
    """Two tables: what each piece of work took and sent, and the targets."""
    note = ""
    try:
        install_rsync(bench)
    except BenchmarkFailed as error:
        note = f"rsync is left out: {str(error).splitlines()[-1]}"
    files = _Files(bench, make_tree_stack(bench.place / "tree-stack", NAME, bench.tree), not note)
    for number in range(1, bench.rounds + 1):
        files.round(number)
    sections = [_table(files), _targets(files)]
    sections[1].notes += [note] if note else []
    return sections


def _table(files: _Files) -> Section:
    section = Section(
        f"Files: a mounted tree of {files.bench.tree}, and a second release in which 1 % of the files changed",
        ("work", _FIRST, "sent", _SECOND, "sent"),
    )
    names = {
        _LIST: "slipway: list and hash",
        _PUBLISH: "slipway: publish to the registry",
        _PUT: "slipway: put on the droplet",
        _RSYNC: _RSYNC,
        _TAR: _TAR,
    }
    for work, name in names.items():
        first, second = files.of(work, _FIRST), files.of(work, _SECOND)
        section.add(name, seconds(first.spent), first.bytes, seconds(second.spent), second.bytes, strong=work == _PUT)
    section.notes.append(
        f"{int(median(files.changed)):,} B changed. Bytes are those that the registry or the droplet received over the "
        "network while the command ran. Putting on the droplet reads from the registry what changed, and includes that "
        "Compose resolves the stack there and here; its connection is open, where rsync and tar log in first. "
        "The image was there before."
    )
    return section


def _targets(files: _Files) -> Section:
    section = Section("Files: targets", ("", "slipway", "beside", "ratio", "target", ""))
    put, changed = files.of(_PUT, _SECOND), files.changed
    rsync = files.of(_RSYNC, _SECOND)
    if rsync.spent:
        alone = [whole - resolving for whole, resolving in zip(put.spent, files.resolving, strict=True)]
        section.add("the files put on the droplet, second release, beside rsync", seconds(alone), seconds(rsync.spent),
                    *judged(ratio(alone, rsync.spent), BESIDE_RSYNC), strong=True)  # fmt: skip
        section.add("the same, and the stack resolved there", seconds(put.spent), seconds(rsync.spent),
                    times(ratio(put.spent, rsync.spent)), "", "")  # fmt: skip
        parts = [files.of(work, _SECOND).spent for work in (_LIST, _PUBLISH, _PUT)]
        whole = [sum(one) for one in zip(*parts, strict=True)]
        section.add("listed, published and put, second release, beside rsync", seconds(whole), seconds(rsync.spent),
                    times(ratio(whole, rsync.spent)), "", "")  # fmt: skip
        section.notes.append(
            f"Resolving the stack there alone, by `docker compose config`, takes {seconds(files.resolving)}, the "
            "fastest of three a run; it is not counted in the first row."
        )
    for name, seen in (("to the registry", files.of(_PUBLISH, _SECOND)), ("to the droplet", put)):
        section.add(f"sent {name}, second release, beside what changed", seen.bytes, f"{int(median(changed)):,} B",
                    *judged(ratio(seen.sent, changed), SENT_AGAIN), strong=True)  # fmt: skip
    for name, peak in files.peaks.items():
        met = "met" if 0 < peak <= MEMORY * MB else "not met"
        section.add(
            f"most memory of `slipway {name}`", f"{peak / MB:.0f} MB", "", "", f"≤ {MEMORY} MB", met, strong=True
        )
    return section
