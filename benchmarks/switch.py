"""`python -m benchmarks.switch`: ways from one release to the next under load, one table, and reports/bench-switch.md.

It uses the lab that runs (`make lab`), and leaves it with the releases that it made.
"""

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
from benchmarks.command import BenchmarkFailed
from benchmarks.lab import CHECKOUT
from benchmarks.measure import Section
from benchmarks.switches import admin_api, in_place, promoting
from benchmarks.switches.ground import TAGS, Ground, open_ground
from benchmarks.switches.way import COLUMNS, Way

INTERRUPTED = 130
_REST = 6.0  # longer than the longest request of the load
_ERRORS = Console(stderr=True, highlight=False, soft_wrap=True)
_HOW = (
    "Each way under the same load: short requests on kept and on fresh connections, long ones of 5 s, writes, one "
    "event stream, an MCP session and stateless MCP requests; no client tries again. "
    "The last column but one is from the decision to the start of the last request that the old side answered, or in "
    "place, that failed or that the old release answered; what was under way before ends where it began. "
    "A stream 'ended later' was held as long as its colour was: it ended when the next release replaced the colour "
    "that traffic had left. Where no release can be kept warm, going back is the same again: every second round."
)


def main() -> int:
    """Returns the exit code: 0 also when a way lost requests; the table says so. 1 when a round did not work."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.switch", description=__doc__)
    parser.add_argument("--promotions", type=int, default=20, help="promotions (default 20)")
    parser.add_argument("--flips", type=int, default=20, help="flips by the admin API (default 20)")
    parser.add_argument("--rounds", type=int, default=2, help="rounds of each way in place (default 2)")
    parser.add_argument("--requests", type=int, default=20_000, help="least requests beside promotions (default 20000)")
    parser.add_argument(
        "--releases", type=int, choices=(2, 3), default=len(TAGS),
        help="3: every promotion replaces what the idle colour runs; 2: each colour keeps its release (default 3)",
    )  # fmt: skip
    parser.add_argument("--only", default="", metavar="A,B", help=f"ways: {', '.join(_WAYS)} (default: all)")
    parser.add_argument("--report", type=Path, default=CHECKOUT / "reports" / "bench-switch.md", help="Markdown file")
    given = parser.parse_args()
    chosen = [name for name in given.only.split(",") if name] or list(_WAYS)
    if unknown := [name for name in chosen if name not in _WAYS]:
        parser.error(f"{', '.join(unknown)}: no such way; there are {', '.join(_WAYS)}")
    target = given.report.absolute()
    signal.signal(signal.SIGTERM, _interrupt)
    ways: list[Way] = []
    try:
        with open_ground(given.releases, _tell) as ground:
            for name in chosen:
                ways.append(_WAYS[name](ground, given))
    except BenchmarkFailed as error:
        _ERRORS.print(f"[red]✗[/red] {error}")
        return 1
    except KeyboardInterrupt:
        _ERRORS.print("Interrupted. The lab is left as it stands; look at it with: slipway status")
        return INTERRUPTED
    finally:
        if ways:
            section = table(ways)
            report.show(section)
            report.write(target, _heading(), [section])
    return int(any(way.trouble for way in ways))


def table(ways: list[Way]) -> Section:
    """One row a way."""
    section = Section("From one release to the next, under load", COLUMNS)
    for way in ways:
        section.add(*way.row(), strong=way.name == promoting.NAME)
    section.notes += [_HOW, *(note for way in ways for note in way.notes())]
    return section


_WAYS: dict[str, Callable[[Ground, argparse.Namespace], Way]] = {
    "promote": lambda ground, given: promoting.measure(ground, given.promotions, given.requests, _REST),
    "runbook": lambda ground, given: in_place.measure(ground, in_place.RUNBOOK, given.rounds, _REST),
    "up": lambda ground, given: in_place.measure(ground, in_place.IN_PLACE, given.rounds, _REST),
    "admin": lambda ground, given: admin_api.measure(ground, given.flips, _REST),
}


def _heading() -> str:
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"{when}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}."
    )


def _tell(words: str) -> None:
    _ERRORS.print(f"[dim]{words}[/dim]")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
