"""The whole release, source to healthy, beside a plain shell script in the runbook's order."""

from collections.abc import Callable
from pathlib import Path

from benchmarks.bench import SCRIPT, Bench
from benchmarks.command import run
from benchmarks.lab import NAME
from benchmarks.measure import Section, alternate, judged, ratio, seconds, timed
from benchmarks.slipway import Ran, command, where

RUNBOOK = Path(__file__).resolve().parents[1] / "runbook.sh"
COLD, CHANGE = 0.7, 1.0


def measure(bench: Bench) -> list[Section]:
    """Three tables: the two ratios, and where Slipway's time went in each case."""
    bench.start_over()
    bench.tell("release: both sides once, so that the build host's cache is warm")
    command("release", "--stack", str(bench.ours.directory))
    bench.lab.only(SCRIPT)
    _runbook(bench)
    changed: list[Ran] = []
    change = alternate(
        bench.rounds,
        {"slipway": lambda: _changed_by_slipway(bench, changed), "script": lambda: _changed_by_script(bench)},
        lambda words: bench.tell(f"release, one line: {words}"),
    )
    cold_runs: list[Ran] = []
    cold = alternate(
        bench.rounds,
        {
            "slipway": lambda: _cold(bench, lambda: _slipway(bench, cold_runs)),
            "script": lambda: _cold(bench, lambda: timed(lambda: _runbook(bench))),
        },
        lambda words: bench.tell(f"release, cold: {words}"),
    )
    section = Section("Release: source to healthy", ("case", "slipway", "plain script", "ratio", "target", ""))
    cases = (
        ("cold: registry and droplet empty, build cache warm", cold, COLD),
        ("a one-line change in one service", change, CHANGE),
    )
    for case, found, target in cases:
        ours, theirs = found["slipway"], found["script"]
        section.add(case, seconds(ours), seconds(theirs), *judged(ratio(ours, theirs), target), strong=True)
    section.notes.append(
        "The script builds, pushes, and over one ssh connection: down, pull, up --wait. It checks nothing, and its "
        "logins are at hand. Slipway's time is that of the whole process, interpreter and Prefect included."
    )
    return [
        section,
        where("Where Slipway's time goes: cold", cold_runs),
        where("Where Slipway's time goes: a one-line change", changed),
    ]


def _slipway(bench: Bench, runs: list[Ran]) -> float:
    runs.append(command("release", "--stack", str(bench.ours.directory)))
    return runs[-1].seconds


def _runbook(bench: Bench) -> None:
    argv = [str(RUNBOOK), str(bench.script.directory), SCRIPT, str(bench.ssh_config)]
    run(argv, env=bench.script_env())


def _changed_by_slipway(bench: Bench, runs: list[Ran]) -> float:
    bench.lab.only(NAME)
    bench.ours.change_one_service()
    return _slipway(bench, runs)


def _changed_by_script(bench: Bench) -> float:
    bench.lab.only(SCRIPT)
    bench.script.change_one_service()
    return timed(lambda: _runbook(bench))


def _cold(bench: Bench, work: Callable[[], float]) -> float:
    bench.start_over()
    return work()
