"""The droplet of `make demo-one-droplet`: commands on it, its ports, and the memory that its containers use."""

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.command import BenchmarkFailed, run

MACHINE = f"{os.environ.get('SLIPWAY_LAB') or 'slipway-lab'}-first"
STACK = "agents"
_UNITS = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


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


@contextmanager
def measured(*prefixes: str) -> Iterator[list[int]]:
    """Bytes that the containers of these names use, again and again: before, meanwhile, and after."""
    found, end = [_used(prefixes)], threading.Event()

    def look() -> None:
        while not end.wait(4):
            found.append(_used(prefixes))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield found
    finally:
        end.set()
        looking.join()
        found.append(_used(prefixes))


def _used(prefixes: tuple[str, ...]) -> int:
    return memory(on_it("docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}"), prefixes)


def memory(stats: str, prefixes: tuple[str, ...]) -> int:
    """Bytes of the containers whose names begin so, from lines `NAME 12.5MiB / 1GiB`."""
    words = [line.split() for line in stats.splitlines() if line.startswith(prefixes)]
    found = [re.fullmatch(r"([0-9.]+)([KMG]i)?B", each[1]) for each in words if len(each) > 1]
    return int(sum(float(one[1]) * _UNITS[one[2] or ""] for one in found if one))
