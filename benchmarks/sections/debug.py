"""A debug bundle of all services beside the slowest single one."""

from collections.abc import Callable, Sequence

from benchmarks import plain
from benchmarks.bench import Bench
from benchmarks.command import run
from benchmarks.lab import NAME
from benchmarks.measure import Section, alternate, judged, median, ratio, seconds, timed, times
from benchmarks.slipway import body, command
from blocks.ssh.session import Session
from flows.core.droplet.directories import StackDirectory
from flows.settings import Settings
from flows.tasks.debug.bundle import bundle
from flows.tasks.runs.blocks import load_droplet, load_environment

TARGET = 1.5
_LINES = 100
_ALL, _BY_HAND = "all", "by hand"


def measure(bench: Bench) -> list[Section]:
    """One table: every single service, all of them, and what a person would do by hand."""
    bench.start_over()
    bench.tell("debug: a release to look at")
    command("release", "--stack", str(bench.ours.directory))
    services = sorted(plain.prepare(bench.ours.tag()).release.services)
    settings, droplet = Settings(), load_droplet(NAME)
    load_environment(settings, NAME)  # so that its values are known, and masked
    home = StackDirectory(droplet.directory, NAME)

    def look(session: Session, wanted: Sequence[str]) -> Callable[[], float]:
        return lambda: body(lambda: bundle(session, home, wanted, settings, _LINES))

    with droplet.session() as session:
        sides = {name: look(session, [name]) for name in services}
        sides[_ALL] = look(session, services)
        sides[_BY_HAND] = lambda: timed(lambda: _by_hand(bench))
        sides[_ALL]()  # warm: nobody pays for the first time
        found = alternate(bench.rounds, sides, lambda words: bench.tell(f"debug: {words}"))
    slowest = max(services, key=lambda name: median(found[name]))
    section = Section("Debug bundle: all services beside the slowest single one", ("of", "time", "ratio", "target", ""))
    for name in services:
        section.add(f"{name} (the slowest)" if name == slowest else name, seconds(found[name]))
    section.add(f"all {len(services)}", seconds(found[_ALL]), *judged(ratio(found[_ALL], found[slowest]), TARGET),
                strong=True)  # fmt: skip
    section.add("by hand: docker inspect, stats, logs and top, over one ssh", seconds(found[_BY_HAND]),
                times(ratio(found[_BY_HAND], found[_ALL])))  # fmt: skip
    section.notes.append(
        f"Over a connection that is open: looked at, masked, shown in Prefect and written as one archive; {_LINES} log "
        "lines of each. The row by hand has its ratio beside our row for all."
    )
    return [section]


def _by_hand(bench: Bench) -> None:
    """What a careful person types; packages, /health, events and the host are left out, and nothing is masked."""
    ids = f"$(docker ps --all --quiet --filter label=com.docker.compose.project={NAME})"
    each = f'docker logs --timestamps --tail {_LINES} "$id"; docker top "$id"'
    script = f"ids={ids}; docker inspect $ids; docker stats --no-stream $ids; for id in $ids; do {each}; done"
    run([*bench.ssh(), script])
