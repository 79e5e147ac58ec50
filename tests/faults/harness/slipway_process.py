"""A `slipway …` in a process of its own, to be killed or held at a chosen point.

It is forked from a process that has imported the flows already, so that a case does not wait for Prefect's import.
"""

import faulthandler
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import httpx
from fault import Fault, install

from tests import CHECKOUT
from tests.support import PATIENCE, wait_until
from tests.support.lab.cli import CliResult
from tests.support.lab.lab import prefect_api

_FLOWS = ["flows.cli.main", *(f"flows.{file.stem}" for file in (CHECKOUT / "flows").glob("[!_]*.py"))]
_LATE = ["prefect.main", "fastapi"]  # what Prefect imports as soon as it runs a flow
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["__main__", *_FLOWS, *_LATE, __name__])


class SlipwayProcess:
    """A running command and the fault that it carries."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], fault: Fault) -> None:
        self.words = list(words)
        self._place = Path(fault.directory)
        self._process = _forks.Process(target=_be, args=(self.words, dict(environment), fault), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def ended(self) -> bool:
        return not self._process.is_alive()

    def held(self, within: float = PATIENCE) -> None:
        """Wait until it has reached its point."""
        self._await((self._place / "held").exists, within, "reach its point")

    def go(self) -> None:
        """Let it go on."""
        (self._place / "go").touch()

    def send(self, sent: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, sent)

    def wait(self, within: float = PATIENCE) -> CliResult:
        """Wait for its end; what it said, and its exit code (negative: the signal that ended it)."""
        self._process.join(within)
        code = self._process.exitcode
        if code is None:
            self.send(signal.SIGUSR1)  # it shows where it hangs
            self._process.join(1)
            self.end()
            out, err = self.said()
            raise AssertionError(f"`slipway {' '.join(self.words)}` did not end within {within:.0f} s\n{out}\n{err}")
        return CliResult(code, *self.said())

    def said(self) -> tuple[str, str]:
        """What it has said until now: standard output and error."""
        out, err = ((self._place / name) for name in ("out", "err"))
        return tuple(file.read_text() if file.exists() else "" for file in (out, err))  # type: ignore[return-value]

    def steps(self) -> list[tuple[str, str]]:
        """The steps that began: flow and task."""
        file = self._place / "steps"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(flow, task) for flow, _, task in (line.partition("\t") for line in lines)]

    def run(self) -> str:
        """The id of its Prefect run; it has one as soon as its first step has begun."""
        return (self._place / "run").read_text()

    def state(self) -> dict[str, Any]:
        """What Prefect says of that run now."""
        return dict(_prefect().get(f"flow_runs/{self.run()}").raise_for_status().json()["state"])

    def end(self) -> None:
        """Make an end of it, whatever it does."""
        with suppress(ProcessLookupError, ValueError):
            self._process.kill()
            self._process.join(10)

    def _await(self, condition: Callable[[], object], within: float, what: str) -> None:
        def why() -> str:
            ended = f"ended with {self._process.exitcode}" if self.ended else "goes on"
            return "\n".join((f"it did not {what}: `slipway {' '.join(self.words)}` {ended}", *self.said()))

        wait_until(lambda: condition() or self.ended, within, why=why)
        assert condition(), why()


@cache
def _prefect() -> httpx.Client:
    """One client for all questions: a new one reads all certificates of the machine, and tests ask again and again."""
    return prefect_api()


def run_slipway(words: Sequence[str], environment: Mapping[str, str]) -> CliResult:
    """Run a command to its end, without a fault."""
    with tempfile.TemporaryDirectory(prefix="slipway-faults-") as place:
        return SlipwayProcess(words, environment, Fault(place)).wait()


def warm_up() -> None:
    """Start the process that others are forked from, in the background: it imports the flows meanwhile."""
    forkserver.ensure_running()


def _be(words: list[str], environment: dict[str, str], fault: Fault) -> None:
    """What the forked process does: be the command line, with its fault."""
    for name, descriptor in (("out", 1), ("err", 2)):
        file = os.open(Path(fault.directory) / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, descriptor)
    sys.stdout, sys.stderr = (os.fdopen(n, "w", buffering=1, closefd=False) for n in (1, 2))
    faulthandler.register(signal.SIGUSR1, sys.stderr, all_threads=False)
    os.environ.update(environment)
    sys.argv = ["slipway", *words]

    from prefect.context import refresh_global_settings_context  # noqa: PLC0415

    from flows.cli.main import main  # noqa: PLC0415 — it is here already, by the fork

    refresh_global_settings_context()
    install(fault)
    main()
