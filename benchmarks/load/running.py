"""A load that runs beside what is measured: `with load(url) as running: …`, then `running.result`."""

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.command import BenchmarkFailed
from benchmarks.lab import CHECKOUT
from benchmarks.load.drive import BEGUN, argv
from benchmarks.load.plan import Plan
from benchmarks.load.request import Request, read_line
from benchmarks.load.result import Result
from benchmarks.load.writes import settle

_GRACE = 15.0


@dataclass
class Running:
    """The process that makes the load, and the file that it writes."""

    plan: Plan
    file: Path
    process: subprocess.Popen[bytes]
    _result: Result | None = None

    @property
    def runs(self) -> bool:
        """Whether it still makes requests: it ends by itself when its plan says so."""
        return self.process.poll() is None

    @property
    def so_far(self) -> int:
        """How many requests have ended."""
        with self.file.open("rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))

    def wait(self, seconds: float, requests: int = 0) -> bool:
        """Let it run so long, and until so many requests have ended; False when it ended by itself before."""
        until = time.monotonic() + seconds
        while time.monotonic() < until or self.so_far < requests:
            if not self.runs:
                return False
            time.sleep(min(0.5, max(0.05, until - time.monotonic())))
        return True

    @property
    def result(self) -> Result:
        """What it found; there is one as soon as the context is left.

        Raises:
            BenchmarkFailed: it is not there yet.
        """
        if self._result is None:
            raise BenchmarkFailed("the load has no result before it has ended")
        return self._result

    def stop(self) -> None:
        """Tell it to stop, wait until what is in flight has ended, and count the writes."""
        assert self.process.stdin
        self.process.stdin.close()
        try:
            code = self.process.wait(self.plan.long_patience + _GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise BenchmarkFailed("the load did not end when it was told to") from None
        if code:
            raise BenchmarkFailed(f"the load ended with {code}: {self._last_words()}")
        requests = tuple(self._read())
        self._result = Result(requests, settle(self.plan, requests))

    def _read(self) -> Iterator[Request]:
        with self.file.open() as file:
            yield from (read_line(line) for line in file)

    def _last_words(self) -> str:
        assert self.process.stderr
        lines = self.process.stderr.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def begin(self) -> None:
        """Wait until it has begun."""
        assert self.process.stdout
        if self.process.stdout.readline().decode().strip() != BEGUN:
            raise BenchmarkFailed(f"the load did not begin: {self._last_words()}")


@contextlib.contextmanager
def load(url: str, **bounds: Any) -> Iterator[Running]:
    """Put the edge at `url` under load for as long as the context is open.

    Args:
        bounds: those of `Plan`, where its defaults do not serve.

    Raises:
        BenchmarkFailed: the load itself did not work; what failed at the edge is in the result.
    """
    plan = Plan(url, **bounds)
    with tempfile.TemporaryDirectory(prefix="slipway-load-") as place:
        file = Path(place) / "requests"
        file.touch()
        process = subprocess.Popen(
            argv(plan, str(file)),
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        running = Running(plan, file, process)
        try:
            running.begin()
            yield running
            running.stop()
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing of it stays, whatever happened inside the context."""
    if process.poll() is None:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()
