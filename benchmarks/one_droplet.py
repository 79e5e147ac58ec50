"""`python -m benchmarks.one_droplet`: releases on the one droplet of `make demo-one-droplet`, under load, promoted;
the same on two droplets of the lab; and `docker compose up -d` in place. One table, and reports/bench-one-droplet.md.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from benchmarks import report
from benchmarks.command import BenchmarkFailed, run
from benchmarks.lab import CHECKOUT
from benchmarks.load import Kind, Result, load
from benchmarks.measure import Section, median, times

LAB = os.environ.get("SLIPWAY_LAB") or "slipway-lab"
MACHINE, HOST, STACK = f"{LAB}-first", "agents.example.com", "agents"
GATEWAY = "agents/services/gateway_mcp.py"
_UNITS = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
_WORDS = "Parse code and report what is wrong"
_COLUMNS = ("way", "releases", "seconds each", "requests", "failed", "cut", "lost or doubled", "longest gap", "memory")
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
    parser.add_argument("--rounds", type=int, default=2, help="rounds of each way beside it (default 2)")
    given = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="slipway-") as place:
            ways = [
                on_one(Path(place), given.promotions), on_two(Path(place), given.rounds), in_place(given.rounds)
            ]  # fmt: skip
    except BenchmarkFailed as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    section = Section("Releases of nine services on one droplet, under load", _COLUMNS)
    for way in ways:
        section.add(*way.row(), strong=way is ways[0])
    ratio = median(ways[0].seconds) / median(ways[1].seconds)
    section.notes.append(f"A release on one droplet takes {times(ratio)} of what it takes on two; wanted: at most 1.3.")
    section.notes.append(
        "Memory: what the containers of the stack use before, at most meanwhile, and after. The longest gap is between "
        "two short requests that were answered well. Streams that their server ends in order are not counted as cut."
    )
    report.show(section)
    report.write(CHECKOUT / "reports" / "bench-one-droplet.md", "", [section])
    return int(not ways[0].result.is_clean)


@dataclass
class Releases:
    """Releases of one way, what clients saw of them, and what they needed."""

    name: str
    result: Result
    seconds: list[float]
    memory: list[int] = field(default_factory=list)

    def row(self) -> tuple[str, ...]:
        wrong = "unknown" if self.result.wrong_writes is None else str(self.result.wrong_writes)
        shown = (self.memory[0], max(self.memory), self.memory[-1]) if self.memory else ()
        memory = " / ".join(f"{b / 1e6:.0f} MB" for b in shown)
        return (
            self.name, str(len(self.seconds)), f"{median(self.seconds):.1f} s", f"{self.result.total:,}",
            str(self.result.failed), str(self.result.cut), wrong, f"{longest_gap(self.result):.2f} s", memory,
        )  # fmt: skip


def on_one(place: Path, promotions: int) -> Releases:
    """Promote so many releases on the one droplet, each with another gateway."""
    authority = place / "ca.crt"
    authority.write_text(on_it("cat", "/opt/slipway/.edge/data/caddy/pki/authorities/local/root.crt"))
    seconds, url = list[float](), f"https://127.0.0.1:{port(443)}"
    with load(url, seconds=3600, host=HOST, ca=str(authority), streams_end=True) as running, measured() as memory:
        for _ in range(promotions):
            seconds.append(promote(changed(place, "docker-compose.yml", "one-droplet.yml"), _ONE))
    return Releases("promoted on one droplet", running.result, seconds, memory)


def on_two(place: Path, promotions: int) -> Releases:
    """The same on two droplets of the lab, and its data home."""
    first, tag = changed(place, "docker-compose.yml"), f"bench-{time.time():.0f}"
    run(["slipway", "build-push", "--stack", first, "--tag", tag], env=_ALIKE)
    run(["slipway", "deploy-home", "--stack", STACK, "--tag", tag, "--approval", "never"], env=_ALIKE)
    promote(first, _ALIKE)  # a colour that has nothing yet takes longer
    promote(changed(place, "docker-compose.yml"), _ALIKE)
    with load(_EDGE, seconds=1800, streams_end=True) as running:
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


def in_place(rounds: int) -> Releases:
    """`docker compose up -d` over the running project, on the same droplet and with the same images."""
    plain = f"label=com.docker.compose.project={STACK}"
    service = "label=com.docker.compose.service=gateway-mcp"
    first = f"docker ps -aq --filter {plain} --filter {service}"
    image = on_it("sh", "-c", f"docker inspect --format '{{{{.Config.Image}}}}' $({first})").strip()
    registry, _, tag = image.rpartition("/gateway-mcp:")
    other = on_it("sh", "-c", f"docker ps -q --filter {service} | head -n 1").strip()
    newer = on_it("docker", "inspect", "--format", "{{.Image}}", other).strip()
    names = f"docker images --format '{{{{.Repository}}}}:{{{{.Tag}}}}' | grep ':{tag}$'"
    on_it("sh", "-c", f"for name in $({names}); do docker tag $name ${{name%:*}}:other; done")
    on_it("docker", "tag", newer, f"{registry}/gateway-mcp:other")
    files = "docker compose -p plain -f docker-compose.yml -f one-droplet.yml"

    def up(which: str) -> None:
        given = f"REGISTRY={registry} IMAGE_TAG={which} CA_BUNDLE=/root/agents/ca"
        on_it("sh", "-c", f"cd /root/agents && {given} {files} up -d --no-build --wait >/dev/null 2>&1")

    up(tag)
    seconds = list[float]()
    try:
        with load(f"http://127.0.0.1:{port(8000)}", seconds=1800) as running, measured() as memory:
            for number in range(rounds):
                running.wait(8)
                began = time.monotonic()
                up("other" if number % 2 == 0 else tag)
                seconds.append(time.monotonic() - began)
            running.wait(8)
    finally:
        given = f"REGISTRY={registry} IMAGE_TAG={tag} CA_BUNDLE=/root/agents/ca"
        on_it("sh", "-c", f"cd /root/agents && {given} {files} down --volumes >/dev/null 2>&1")
    return Releases("docker compose up -d", running.result, seconds, memory)


@contextmanager
def measured() -> Iterator[list[int]]:
    """Bytes that all containers of the droplet use, again and again: before, meanwhile, and after."""
    found, end = [used()], threading.Event()

    def look() -> None:
        while not end.wait(4):
            found.append(used())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield found
    finally:
        end.set()
        looking.join()
        found.append(used())


def used() -> int:
    """Bytes of memory that all containers of the droplet use now, as their engine says."""
    shown = on_it("docker", "stats", "--no-stream", "--format", "{{.MemUsage}}").split("\n")
    words = [line.partition(" / ")[0] for line in shown if line.strip()]
    found = [re.fullmatch(r"([0-9.]+)([KMG]i)?B", word) for word in words]
    return int(sum(float(one[1]) * _UNITS[one[2] or ""] for one in found if one))


def longest_gap(result: Result) -> float:
    """The longest time between two short requests that were answered well, in seconds."""
    short = (Kind.KEPT, Kind.FRESH)
    ends = sorted(r.end for r in result.requests if r.kind in short and r.outcome.value == "well")
    return max((later - earlier for earlier, later in pairwise(ends)), default=0.0)


def on_it(*argv: str) -> str:
    """Run a command on the droplet."""
    return run(["docker", "exec", MACHINE, *argv], timeout=300)


def port(inside: int) -> int:
    """Where a port of the droplet is on loopback."""
    shown = subprocess.run(
        ["docker", "port", MACHINE, f"{inside}/tcp"], capture_output=True, text=True, check=False
    ).stdout.splitlines()
    if not shown:
        raise BenchmarkFailed(f"{MACHINE} is not there. It is made by: make demo-one-droplet")
    return int(shown[0].rpartition(":")[2])


if __name__ == "__main__":
    sys.exit(main())
