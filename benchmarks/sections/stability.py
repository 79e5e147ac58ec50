"""A week of 1,000 releases on three droplets as numbers and as a page, beside reading the same records by plain ssh."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from benchmarks.bench import Bench
from benchmarks.command import run
from benchmarks.lab import NAME
from benchmarks.measure import Section, alternate, median, ratio, seconds, timed, times, within
from blocks.ssh.session import Session
from compose.lab.week import COLOURS, STACK, MadeHistory, made_history
from flows.core.droplet.directories import StackDirectory
from flows.core.insight.stability.report import StabilitySources
from flows.core.records.record import Record
from flows.core.records.storage import records_tar, write_records
from flows.settings import Settings
from flows.tasks.insight.page import stability_page
from flows.tasks.insight.sources import RememberingDroplet, ask_histories, make_report
from flows.tasks.runs.blocks import load_droplet

RELEASES, LIMIT_S, LARGEST = 1000, 5.0, 2_000_000
_PATIENCE = 120.0


def measure(bench: Bench) -> list[Section]:
    """One table. The three droplets are three directories of one, each asked over a connection of its own."""
    now = datetime.now(UTC).replace(microsecond=0)
    made = made_history(now, 7, RELEASES)
    droplet = load_droplet(NAME)
    places = {name: StackDirectory(f"{droplet.directory}/stability/{name}", STACK) for name in made.records}
    bench.tell(f"stability: {RELEASES} releases on {len(places)} droplets")
    with droplet.session() as session:
        for name, directory in places.items():
            _write(session, directory, made.records[name])
    asked = [RememberingDroplet(name, droplet.session, directory) for name, directory in places.items()]
    pages: list[str] = []
    sides: dict[str, Callable[[], float]] = {
        "numbers": lambda: timed(lambda: _numbers(asked, made, now)),
        "numbers and page": lambda: timed(lambda: pages.append(_page(asked, made, now))),
        "plain ssh": lambda: timed(lambda: _plain(bench, places)),
    }
    for work in sides.values():
        work()  # warm: a page imports Matplotlib once
    found = alternate(bench.rounds, sides, lambda words: bench.tell(f"stability, {words}"))
    columns = ("", "slipway", "plain ssh", "ratio", "target", "")
    section = Section(f"Stability of {RELEASES:,} releases on {len(places)} droplets", columns)
    for name in ("numbers", "numbers and page"):
        told = times(ratio(found[name], found["plain ssh"]))
        section.add(name, seconds(found[name]), seconds(found["plain ssh"]), told, *within(found[name], LIMIT_S),
                    strong=True)  # fmt: skip
    size = len(pages[-1].encode())
    kept = "met" if size <= LARGEST else "not met"
    section.add("the page", f"{size / 1e6:.2f} MB", "-", "-", f"≤ {LARGEST / 1e6:g} MB", kept)
    section.notes.append(
        f"Plain ssh prints the same {sum(map(len, made.records.values())):,} records, all droplets side by side "
        f"({median(found['plain ssh']):.2f} s). Samples of requests are made, not asked for."
    )
    return [section]


def _write(session: Session, directory: StackDirectory, records: list[Record]) -> None:
    session.run(f"rm -rf {directory.history}", timeout=_PATIENCE)
    session.run(write_records(directory), timeout=_PATIENCE, stdin=records_tar(records))


def _sources(asked: list[RememberingDroplet], made: MadeHistory) -> StabilitySources:
    histories, away = ask_histories(asked)
    return StabilitySources(histories, COLOURS.of, made.requests(), (made.active,), True, away)


def _numbers(asked: list[RememberingDroplet], made: MadeHistory, now: datetime) -> None:
    report = make_report(STACK, _sources(asked, made), Settings(), 7, now)
    assert sum(row.what == "deploy" for row in report.releases) == RELEASES


def _page(asked: list[RememberingDroplet], made: MadeHistory, now: datetime) -> str:
    return stability_page(make_report(STACK, _sources(asked, made), Settings(), 7, now))


def _plain(bench: Bench, places: dict[str, StackDirectory]) -> None:
    with ThreadPoolExecutor(len(places)) as pool:
        said = list(pool.map(lambda d: run([*bench.ssh(), f"cat {d.history}/*.json"]), places.values()))
    assert all(said)
