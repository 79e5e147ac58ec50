"""`python -m benchmarks.one_droplet`: releases on the one droplet of `make demo-one-droplet`, under load, promoted; the
same on two droplets of the lab; `docker compose up -d` in place; and docker-rollout and Kamal with its proxy, where
PATH has them. One table, and reports/bench-one-droplet.md.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import report
from benchmarks.command import BenchmarkFailed, run
from benchmarks.droplet.kamal import by_kamal
from benchmarks.droplet.machine import STACK, measured, on_it, port
from benchmarks.droplet.plain import in_place, rolled_out
from benchmarks.droplet.releases import COLUMNS, Releases
from benchmarks.lab import CHECKOUT
from benchmarks.load import load
from benchmarks.measure import Section, median, times

WAYS = ("one", "two", "in-place", "docker-rollout", "kamal")
HOST = "agents.example.com"
GATEWAY = "agents/services/gateway_mcp.py"
_WORDS = "Parse code and report what is wrong"
_EDGE = f"http://127.0.0.1:{os.environ.get('SLIPWAY_LAB_EDGE_PORT') or 8080}"
_ALIKE = {
    "SLIPWAY_LANGFUSE": "", "SLIPWAY_PROMETHEUS": "", "SLIPWAY_WATCH": "5", "SLIPWAY_DRAIN": "10",
    "SLIPWAY_APPROVAL": "never", "SLIPWAY_KEEP_WARM": "never",
}  # fmt: skip
_ONE = {
    **_ALIKE, "SLIPWAY_ONE_DROPLET": "prod", "SLIPWAY_HOME": "", "SLIPWAY_SWITCH": f"{STACK}-edge",
    "SLIPWAY_ENVIRONMENT": "one-droplet",
}  # fmt: skip


def main() -> int:
    """Returns the exit code: 1 when a promotion lost something, or a round did not work."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.one_droplet", description=__doc__)
    parser.add_argument("--promotions", type=int, default=20, help="promotions (default 20)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each way beside it (default 3)")
    parser.add_argument("--only", nargs="+", choices=WAYS, default=WAYS, help="these ways alone (default: all)")
    given = parser.parse_args()
    found, failed = dict[str, Releases](), False
    section = Section("Releases of nine services on one droplet, under load", COLUMNS)
    with tempfile.TemporaryDirectory(prefix="slipway-") as place:
        measures: dict[str, Callable[[], Releases | None]] = {
            "one": lambda: on_one(Path(place), given.promotions),
            "two": lambda: on_two(Path(place), given.rounds),
            "in-place": lambda: in_place(given.rounds),
            "docker-rollout": lambda: rolled_out(given.rounds),
            "kamal": lambda: by_kamal(given.rounds),
        }
        for name in given.only:
            try:
                way = measures[name]()
            except BenchmarkFailed as error:  # what was found of the others is told all the same
                print(f"Error: {name}: {error}", file=sys.stderr)
                failed = True
                continue
            if way is None:
                section.notes.append(f"{name} is not installed here: it is looked for on PATH.")
                continue
            found[name] = way
            section.add(*way.row(), strong=name == "one")
            section.notes += way.notes()
            print(*way.row(), sep=" | ", file=sys.stderr, flush=True)
    if {"one", "two"} <= found.keys():
        ratio = times(median(found["one"].seconds) / median(found["two"].seconds))
        section.notes.append(f"A release on one droplet takes {ratio} of what it takes on two; wanted: at most 1.3.")
    section.notes.append(
        "Memory: what the containers of the way use before, at most meanwhile, and after. The longest gap is between "
        "two short requests that were answered well. Streams that their server ends in order are not counted as cut."
    )
    report.show(section)
    report.write(CHECKOUT / "reports" / "bench-one-droplet.md", "", [section])
    return int(failed or ("one" in found and not found["one"].result.is_clean))


def on_one(place: Path, promotions: int) -> Releases:
    """Promote so many releases on the one droplet, each with another gateway."""
    authority = place / "ca.crt"
    authority.write_text(on_it("cat", "/opt/slipway/.edge/data/caddy/pki/authorities/local/root.crt"))
    seconds, url = list[float](), f"https://127.0.0.1:{port(443)}"
    bounds = {"seconds": 3600, "requests": 500_000, "host": HOST, "ca": str(authority), "streams_end": True}
    with load(url, **bounds) as running, measured(f"{STACK}-", "slipway-edge-") as memory:
        for number in range(1, promotions + 1):
            seconds.append(promote(changed(place, "docker-compose.yml", "one-droplet.yml"), _ONE))
            print(f"Promotion {number} of {promotions} on one droplet: {seconds[-1]:.1f} s", file=sys.stderr)
        if not running.runs:
            raise BenchmarkFailed("the load ended before the last promotion: ask for fewer")
    return Releases("promoted on one droplet", running.result, seconds, memory)


def on_two(place: Path, promotions: int) -> Releases:
    """The same on two droplets of the lab, and its data home."""
    first, tag = changed(place, "docker-compose.yml"), f"bench-{time.time():.0f}"
    run(["slipway", "build-push", "--stack", first, "--tag", tag], env=_ALIKE)
    run(["slipway", "deploy-home", "--stack", STACK, "--tag", tag, "--approval", "never"], env=_ALIKE)
    promote(first, _ALIKE)  # a colour that has nothing yet takes longer
    promote(changed(place, "docker-compose.yml"), _ALIKE)
    with load(_EDGE, seconds=1800, requests=500_000, streams_end=True) as running:
        seconds = [promote(changed(place, "docker-compose.yml"), _ALIKE) for _ in range(promotions)]
    return Releases("promoted on two droplets", running.result, seconds)


def changed(place: Path, *files: str) -> str:
    """A copy of the sample whose gateway says what it never said; the compose files of its stack."""
    stack = place / "stack"
    shutil.rmtree(stack, ignore_errors=True)
    shutil.copytree(CHECKOUT / "compose", stack)
    source = (stack / GATEWAY).read_text()
    (stack / GATEWAY).write_text(source.replace(_WORDS, f"Read code at {time.time():.0f}"))
    return ":".join(f"{stack}/{name}" for name in files)


def promote(stack: str, settings: dict[str, str]) -> float:
    """Release and promote; the seconds that it took."""
    began = time.monotonic()
    run(["slipway", "release", "--stack", stack, "--tag", f"bench-{time.time():.0f}", "--promote"], env=settings)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
