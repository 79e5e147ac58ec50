"""`status` and the planning of a prune on a droplet with 1,000 records, beside one with 10."""

from collections.abc import Callable

from benchmarks.bench import Bench
from benchmarks.lab import NAME
from benchmarks.measure import Section, alternate, judged, ratio, seconds, timed, times
from benchmarks.slipway import body, command, in_process
from blocks.ssh.session import Session
from flows.core.droplet.directories import StackDirectory
from flows.core.records.record import Record, RecordOutcome
from flows.core.records.storage import records_tar, write_records
from flows.prune import prune
from flows.status import status
from flows.tasks.records.history import load_history
from flows.tasks.runs.blocks import load_droplet

TARGET = 1.2
FEW, MANY = 10, 1000
_PATIENCE = 120.0
_FAILED_EVERY = 7
_READING = "reading the records, over a connection that is open"
_REASON = "ServicesNotReady: on a droplet: code-review: restarted 4 times, last exit 1"


def measure(bench: Bench) -> list[Section]:
    """One table: the flows' bodies, and what reading the records alone takes."""
    bench.start_over()
    bench.tell("history: a release, and records of many before it")
    command("release", "--stack", str(bench.ours.directory))
    droplet = load_droplet(NAME)
    home = StackDirectory(droplet.directory, NAME)
    with droplet.session() as session:
        newest = load_history(session, home).records[-1]
        for count in (MANY, FEW):
            _write(session, home, newest, count)
            bench.lab.inside(f"mv {home.history} {_aside(home, count)}")
        works: dict[str, Callable[[], float]] = {
            "status": lambda: body(lambda: status.fn(NAME, [NAME])),
            "prune --dry-run": lambda: in_process(lambda: prune(NAME, NAME, dry_run=True)).seconds,
            _READING: lambda: timed(lambda: load_history(session, home)),
        }
        section = Section(
            f"History: {MANY:,} records on the droplet beside {FEW}",
            ("", f"{MANY:,} records", f"{FEW} records", "ratio", "target", ""),
        )
        for name, work in works.items():
            many, few = _measured(bench, home, name, work)
            told = (times(ratio(many, few)), "", "") if name == _READING else judged(ratio(many, few), TARGET)
            section.add(name, seconds(many), seconds(few), *told, strong=name != _READING)
    section.notes.append(
        "The flows' bodies, their connection included. One release stands on the droplet; every seventh record is of "
        "one that failed, with its reason."
    )
    return [section]


def _measured(
    bench: Bench, home: StackDirectory, name: str, work: Callable[[], float]
) -> tuple[list[float], list[float]]:
    """The times with many records, and with few."""

    def with_records(count: int) -> Callable[[], float]:
        def once() -> float:
            bench.lab.inside(f"rm -rf {home.history} && cp -a {_aside(home, count)} {home.history}")
            return work()

        return once

    with_records(FEW)()  # warm
    sides = {str(count): with_records(count) for count in (MANY, FEW)}
    found = alternate(bench.rounds, sides, lambda words: bench.tell(f"history, {name}, records: {words}"))
    return found[str(MANY)], found[str(FEW)]


def _aside(home: StackDirectory, count: int) -> str:
    return f"{home.directory}/history-{count}"


def _write(session: Session, home: StackDirectory, newest: Record, count: int) -> None:
    """Write so many records; the last one is the record of what runs."""
    before = [_record(newest, number) for number in range(1, count)]
    session.run(f"rm -rf {home.history}", timeout=_PATIENCE)
    records = [*before, newest.model_copy(update={"number": count})]
    session.run(write_records(home), timeout=_PATIENCE, stdin=records_tar(records))


def _record(like: Record, number: int) -> Record:
    failed = number % _FAILED_EVERY == 0
    tag = f"{number:07x}"
    return like.model_copy(
        update={
            "number": number,
            "tag": tag,
            "name": f"{tag}.{number:016x}",
            "previous": f"{number - 1:07x}.{number - 1:016x}",
            "previous_tag": f"{number - 1:07x}",
            "outcome": RecordOutcome.FAILED if failed else RecordOutcome.GOOD,
            "reason": _REASON if failed else "",
        }
    )
