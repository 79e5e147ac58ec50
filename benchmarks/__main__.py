"""`python -m benchmarks`: measure, print a table a section, and write them all to reports/bench.md."""

import argparse
import os
import platform
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from rich.console import Console

from benchmarks import report
from benchmarks.bench import Bench, open_bench
from benchmarks.command import BenchmarkFailed
from benchmarks.lab import CHECKOUT
from benchmarks.measure import Section
from benchmarks.sections import (
    debug,
    deploy,
    digitalocean,
    files,
    history,
    lock,
    looking,
    queue,
    reading,
    rebuild,
    release,
    rollback,
    signing,
    stability,
    transfer,
    trigger,
    validate,
)
from benchmarks.tree import TreeSize, tree_size

SECTIONS: dict[str, Callable[[Bench], list[Section]]] = {
    "release": release.measure,
    "deploy": deploy.measure,
    "validate": validate.measure,
    "reading": reading.measure,
    "files": files.measure,
    "bytes": transfer.measure,
    "rebuild": rebuild.measure,
    "rollback": rollback.measure,
    "lock": lock.measure,
    "debug": debug.measure,
    "history": history.measure,
    "digitalocean": digitalocean.measure,
    "signing": signing.measure,
    "stability": stability.measure,
    "trigger": trigger.measure,
    "looking": looking.measure,
    "queue": queue.measure,
}
INTERRUPTED = 130
_TREE = TreeSize(10_000, 500)
_ERRORS = Console(stderr=True, highlight=False, soft_wrap=True)


def main() -> int:
    """Returns the exit code: 0 also when a target is not met; the table says so."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="how often each side does its work (default 3)")
    parser.add_argument("--only", default="", metavar="A,B", help=f"sections: {', '.join(SECTIONS)} (default: all)")
    parser.add_argument(
        "--tree",
        type=tree_size,
        default=_TREE,
        metavar="FILESxMB",
        help=f"the tree of the section files (default {_TREE})",
    )
    parser.add_argument("--report", type=Path, default=CHECKOUT / "reports" / "bench.md", help="the Markdown file")
    given = parser.parse_args()
    chosen = [name for name in given.only.split(",") if name] or list(SECTIONS)
    if unknown := [name for name in chosen if name not in SECTIONS]:
        parser.error(f"{', '.join(unknown)}: no such section; there are {', '.join(SECTIONS)}")
    signal.signal(signal.SIGTERM, _interrupt)
    found: list[Section] = []
    try:
        with open_bench(given.runs, given.tree, _tell) as bench:
            for name in chosen:
                sections = SECTIONS[name](bench)
                found += sections
                for section in sections:
                    report.show(section)
    except BenchmarkFailed as error:
        _ERRORS.print(f"[red]✗[/red] {error}")
        return 1
    except KeyboardInterrupt:
        _ERRORS.print("Interrupted. What the benchmark had made is removed.")
        return INTERRUPTED
    finally:
        if found:
            report.write(given.report.absolute(), _heading(given.runs), found)
    return 0


def _heading(runs: int) -> str:
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"Medians of {runs} runs a side, one side after the other in turn; in brackets the fastest and the slowest. "
        f"{when}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, load {load}, "
        f"Python {platform.python_version()}."
    )


def _tell(words: str) -> None:
    _ERRORS.print(f"[dim]{words}[/dim]")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
