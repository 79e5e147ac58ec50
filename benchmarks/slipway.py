"""Slipway's side: the command as a whole process, and the flows in this process for their bodies alone."""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import typer
from prefect import flow

from benchmarks.command import BenchmarkFailed, run
from benchmarks.lab import CHECKOUT, NAME
from benchmarks.measure import Section, median, timed
from benchmarks.prefect_runs import PREFECT, Span, timeline
from flows.cli.terminal.runner import INTERRUPTED, run_callable

T = TypeVar("T")
_FIRST_REQUEST = Path(__file__).parent / "first_request"


@dataclass(frozen=True)
class Ran:
    """A command that ran: seconds from its start to its exit, interpreter included, and where they went.

    Args:
        peak: bytes of memory that its process had at most; 0 where nobody says.
    """

    seconds: float
    spans: list[Span]
    peak: int = 0

    def spent(self, task: str) -> float:
        """Seconds that its tasks of this name took."""
        return sum(span.seconds for span in self.spans if span.name == task)


def where(title: str, runs: list[Ran], what: str = "the whole command") -> Section:
    """The table of where the time of a command went: the median of each piece over the runs."""
    section = Section(title, ("piece", "median", "share"))
    whole = median([ran.seconds for ran in runs])
    for span in runs[0].spans:
        same = [s.seconds for ran in runs for s in ran.spans if (s.name, s.parent) == (span.name, span.parent)]
        name = f"   {span.name}" if span.parent else span.name
        section.add(name, f"{median(same):.2f} s", f"{median(same) / whole:.0%}", strong=span.stage)
    section.add(what, f"{whole:.2f} s", "100%", strong=True)
    share = median([sum(s.seconds for s in ran.spans if s.name.startswith(PREFECT)) for ran in runs])
    section.add("of it Prefect's", f"{share:.2f} s", f"{share / whole:.0%}")
    return section


def command(*words: str) -> Ran:
    """Run `slipway WORDS…` as a process of its own."""
    script = Path(sys.executable).parent / "slipway"
    argv = [str(script)] if script.exists() else [sys.executable, "-m", "flows.cli"]
    with tempfile.TemporaryDirectory() as place:
        mark = Path(place) / "connected"
        path = os.pathsep.join([str(_FIRST_REQUEST), str(CHECKOUT)])
        began, clock = time.time(), time.monotonic()
        run([*argv, *words], env={"PYTHONPATH": path, "SLIPWAY_BENCH_MARK": str(mark)})
        spent, ended = time.monotonic() - clock, time.time()
        imports = float(mark.read_text()) - began
        noted = Path(f"{mark}.peak")
        peak = int(noted.read_text()) * 1024 if noted.exists() else 0
    return Ran(spent, timeline(words[0], began, ended, imports), peak)


def in_process(work: Callable[[], T]) -> T:
    """Run a flow here, with the settings that the command gives it.

    Raises:
        BenchmarkFailed: it failed, and has said why.
    """
    try:
        return run_callable(work, quiet=True)
    except typer.Exit as exit:
        if exit.exit_code == INTERRUPTED:
            raise KeyboardInterrupt from None
        raise BenchmarkFailed("a flow of ours failed; its error stands above") from None


def body(work: Callable[[], object]) -> float:
    """Seconds that it takes inside a flow run here; what the run itself costs is left out."""
    return in_process(flow(name=NAME, flow_run_name=NAME)(lambda: timed(work)))
