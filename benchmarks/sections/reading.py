"""Reading the sample stack on the build host, beside plain `docker compose config` of the same files."""

from collections.abc import Callable

from benchmarks.bench import SCRIPT, Bench
from benchmarks.command import run
from benchmarks.lab import NAME
from benchmarks.measure import Section, alternate, judged, ratio, seconds, timed
from benchmarks.slipway import body
from flows.core.stack.compose_files import root_nodes
from flows.settings import Settings
from flows.tasks.runs.blocks import layout, load_environment, load_registry
from flows.tasks.stack.environment import variables
from flows.tasks.stack.source import read_stack

TARGET = 2.0


def measure(bench: Bench) -> list[Section]:
    """One table: the ratio."""
    settings = Settings()
    environment, registry = load_environment(settings, NAME), load_registry(settings)
    values, prefix, tag = variables(environment, None), layout(registry).prefix, bench.ours.tag()
    directory = str(bench.ours.directory)

    def read() -> None:
        root_nodes.cache_clear()  # a run reads its stack once
        read_stack(directory, settings, prefix, tag, values, environment.contents())

    sides: dict[str, Callable[[], float]] = {
        "slipway": lambda: body(read),
        "plain": lambda: timed(lambda: _plain(bench)),
    }
    for work in sides.values():  # warm: nobody pays for the first time
        work()
    found = alternate(bench.rounds * 3, sides, lambda _words: None)
    section = Section("Reading the sample stack", ("", "slipway", "docker compose config", "ratio", "target", ""))
    section.add("variables replaced, everything checked", seconds(found["slipway"]), seconds(found["plain"]),
                *judged(ratio(found["slipway"], found["plain"]), TARGET), strong=True)  # fmt: skip
    return [section]


def _plain(bench: Bench) -> None:
    file = str(bench.script.directory / "docker-compose.yml")
    run(["docker", "compose", "--project-name", SCRIPT, "--file", file, "config"], env=bench.script_env())
