"""How soon the lock is free when its holder is gone, and what taking it costs, beside a plain `flock` over ssh."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from benchmarks.bench import Bench
from benchmarks.command import BenchmarkFailed, run
from benchmarks.lab import CHECKOUT, NAME
from benchmarks.measure import Section, alternate, ratio, seconds, timed, times, within
from blocks import Droplet
from blocks.ssh.session import Session
from flows.core.droplet.lock import LEASE
from flows.tasks.droplet.lock import locked
from flows.tasks.runs.blocks import load_droplet

KILLED, SILENT = 1.0, 30.0
_FILE = "/opt/slipway/benchmark.flock"
_WAIT = 90.0
_OURS, _PLAIN = "slipway", "plain flock"


def measure(bench: Bench) -> list[Section]:
    """Two tables: free again after the holder's end, and the cost of the lock."""
    bench.lab.empty_droplet()
    droplet = load_droplet(NAME)
    with droplet.session() as session:
        return [_freed(bench, droplet, session), _cost(bench, droplet, session)]


def _freed(bench: Bench, droplet: Droplet, session: Session) -> Section:
    def ours(how: str, end: Callable[[Bench, "_Holder"], None]) -> float:
        holder = [sys.executable, "-m", "benchmarks.holder", how]
        return _until_free(bench, holder, end, lambda: _take(droplet, session))

    def plain() -> float:
        holder = [*bench.ssh(), f"flock {_FILE} sh -c 'echo held; cat'"]
        return _until_free(bench, holder, _kill, lambda: _take_plainly(session))

    session.run(f"mkdir -p {droplet.directory}", timeout=_WAIT)
    sides = {
        "killed": lambda: ours("idle", _kill),
        "plain": plain,
        "killed at work": lambda: ours("working", _kill),
        "silent": lambda: ours("working", _cut_off),
    }
    found = alternate(bench.rounds, sides, lambda words: bench.tell(f"lock: {words}"))
    section = Section(
        "Lock: its holder is gone, until the next one has it",
        ("the holder", "slipway", "plain `flock FILE cat` over ssh", "ratio", "target", ""),
    )
    killed, plain_killed = found["killed"], found["plain"]
    section.add("killed (SIGKILL)", seconds(killed), seconds(plain_killed), times(ratio(killed, plain_killed)),
                *within(killed, KILLED), strong=True)  # fmt: skip
    section.add("killed (SIGKILL) while a command of its runs there", seconds(found["killed at work"]), "", "",
                *within(found["killed at work"], KILLED), strong=True)  # fmt: skip
    section.add("no packet passes any more, while a command of its runs there", seconds(found["silent"]), "", "",
                *within(found["silent"], SILENT), strong=True)  # fmt: skip
    section.notes.append(
        f"Targets are kept by the slowest run. The command is ended before the lock is free. The lease is {LEASE} s. "
        "Without a heartbeat a plain flock is held for as long as the kernels keep the dead connection."
    )
    return section


class _Holder:
    """A process that has the lock, and what it said when it got it."""

    def __init__(self, process: "subprocess.Popen[str]", said: str) -> None:
        self.process = process
        self.said = said


def _until_free(
    bench: Bench, argv: list[str], end: Callable[[Bench, _Holder], None], take: Callable[[], float]
) -> float:
    """Seconds from the holder's end to the moment at which somebody who waits has the lock."""
    with _holding(argv) as holder, ThreadPoolExecutor(1) as pool:
        taken = pool.submit(take)
        bench.lab.inside("until pgrep -f '^flock -w' >/dev/null; do sleep 0.05; done")
        began = time.monotonic()
        end(bench, holder)
        return taken.result(_WAIT) - began


@contextmanager
def _holding(argv: list[str]) -> Iterator[_Holder]:
    process = subprocess.Popen(argv, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said:
            raise BenchmarkFailed(f"`{' '.join(argv[:3])}` did not get the lock")
        yield _Holder(process, said)
    finally:
        process.kill()
        process.communicate()


def _take(droplet: Droplet, session: Session) -> float:
    with locked(session, droplet.directory, "the next one", _WAIT):
        return time.monotonic()


def _take_plainly(session: Session) -> float:
    session.run(["flock", "-w", str(int(_WAIT)), _FILE, "true"], timeout=_WAIT)
    return time.monotonic()


def _kill(_bench: Bench, holder: _Holder) -> None:
    holder.process.kill()


def _cut_off(bench: Bench, holder: _Holder) -> None:
    """Let no packet of its connection pass, in neither direction; the process itself lives on."""
    address, port, *_ = holder.said.split()
    bench.lab.inside(
        f"iptables -I INPUT -p tcp -s {address} --sport {port} -j DROP; "
        f"iptables -I OUTPUT -p tcp -d {address} --dport {port} -j DROP"
    )


def _cost(bench: Bench, droplet: Droplet, session: Session) -> Section:
    plain = f"flock {_FILE} true"

    def with_connection() -> None:
        with droplet.session() as own, locked(own, droplet.directory, "nothing"):
            pass

    def alone() -> None:
        with locked(session, droplet.directory, "nothing"):
            pass

    def whole(work: Callable[[], object]) -> Callable[[], float]:
        return lambda: timed(work)

    cases: dict[str, dict[str, Callable[[], float]]] = {
        "taken and let go, the connection included": {
            _OURS: whole(with_connection),
            _PLAIN: whole(lambda: run([*bench.ssh(), plain])),
        },
        "taken and let go, over a connection that is open": {
            _OURS: whole(alone),
            _PLAIN: whole(lambda: session.run(plain, timeout=_WAIT)),
        },
    }
    section = Section("Lock: what it costs", ("", "slipway", "plain `flock FILE true`", "ratio"))
    for case, sides in cases.items():
        found = alternate(bench.rounds * 3, sides, lambda _words: None)
        section.add(case, seconds(found[_OURS]), seconds(found[_PLAIN]), times(ratio(found[_OURS], found[_PLAIN])))
    with locked(session, droplet.directory, "commands under the lock") as lock:
        found = alternate(
            bench.rounds * 3,
            {
                _OURS: whole(lambda: lock.run(["true"], timeout=_WAIT)),
                _PLAIN: whole(lambda: session.run(["true"], timeout=_WAIT)),
            },
            lambda _words: None,
        )
    section.add("a command under it, beside the same one without", seconds(found[_OURS]), seconds(found[_PLAIN]),
                times(ratio(found[_OURS], found[_PLAIN])))  # fmt: skip
    return section
