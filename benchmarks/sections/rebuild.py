"""Building and pushing what did not change, beside `docker compose build && docker compose push`."""

from benchmarks.bench import SCRIPT, Bench
from benchmarks.command import run
from benchmarks.measure import Section, alternate, judged, ratio, seconds, timed, times
from benchmarks.slipway import Ran, command, in_process, where
from flows.build_push import build_push

TARGET = 1.2


def measure(bench: Bench) -> list[Section]:
    """Two tables: the ratio, and where the time of the whole command goes."""
    bench.lab.empty_registry()
    directory = str(bench.ours.directory)
    commands: list[Ran] = []

    def body() -> float:
        return float(in_process(lambda: build_push(directory)).seconds)

    def whole() -> float:
        commands.append(command("build-push", "--stack", directory))
        return commands[-1].seconds

    sides = {"body": body, "script": lambda: timed(lambda: _plain(bench)), "command": whole}
    bench.tell("rebuild: both sides once, so that nothing is left to do")
    for work in (body, sides["script"]):
        work()
    found = alternate(bench.rounds, sides, lambda words: bench.tell(f"rebuild: {words}"))
    section = Section(
        "Rebuild and push, nothing changed", ("slipway", "time", "docker compose build && push", "ratio", "target", "")
    )
    script = found["script"]
    section.add("the flow's body", seconds(found["body"]), seconds(script),
                *judged(ratio(found["body"], script), TARGET), strong=True)  # fmt: skip
    section.add("the whole command, Prefect's costs included", seconds(found["command"]), seconds(script),
                times(ratio(found["command"], script)), "", "")  # fmt: skip
    return [section, where("Where the time of the whole command goes: nothing changed", commands)]


def _plain(bench: Bench) -> None:
    file = str(bench.script.directory / "docker-compose.yml")
    compose = ["docker", "compose", "--project-name", SCRIPT, "--file", file]
    for words in (["--progress", "quiet", "build"], ["push", "--quiet"]):
        run([*compose, *words], env=bench.script_env())
