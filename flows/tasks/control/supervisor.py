"""Keeps one process running where there is no systemd: `python -m flows.tasks.control.supervisor RUN-DIRECTORY NAME`.

It imports nothing but the standard library, so that it costs little memory.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
LONG_ENOUGH_S = 60.0
LARGEST_LOG = 10_000_000
PROC = Path("/proc")


def began(pid: int) -> str:
    """When a process began, as the kernel counts; '' where there is none: a number may be given to another one."""
    try:
        after_name = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if after_name[0] in "ZX" else after_name[19]


def record(file: Path, pid: int) -> None:
    """Write down a process."""
    new = file.with_suffix(f"{file.suffix}.new")
    new.write_text(f"{pid} {began(pid)}\n")
    new.replace(file)


def recorded(file: Path) -> int:
    """The pid of a process that was written down, while that very one lives; 0 otherwise."""
    try:
        pid, start = file.read_text().split()
        return int(pid) if began(int(pid)) == start else 0
    except (OSError, ValueError):
        return 0


def next_pause(pause: float, lived: float) -> float:
    """Seconds until the next start, after a process that lived so many seconds."""
    return FIRST_PAUSE_S if lived >= LONG_ENOUGH_S else min(pause * 2, LONGEST_PAUSE_S)


def stop_group(pid: int, seconds: float) -> None:
    """Ask a leader of a process group to stop, wait for it, then end whatever is left of the group."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while began(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


class Supervisor:
    """One process that is started again whenever it ends, until the supervisor is asked to stop (SIGTERM)."""

    def __init__(self, directory: Path, name: str) -> None:
        self.child_file = directory / f"{name}.child"
        self.log = directory / f"{name}.log"
        service = json.loads((directory / f"{name}.json").read_text())
        self.argv, self.environment, self.cwd = service["argv"], service["environment"], service["directory"]
        self.stop_s = float(service["stop_s"])
        self.stopping = threading.Event()

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Stop at the next opportunity. For a signal."""
        self.stopping.set()

    def run(self) -> None:
        """Keep the process running until somebody asks to stop."""
        if left := recorded(self.child_file):  # of a supervisor that was killed
            stop_group(left, self.stop_s)
        pause = FIRST_PAUSE_S / 2
        while not self.stopping.is_set():
            start = time.monotonic()
            self._run_once()
            pause = next_pause(pause, time.monotonic() - start)
            self.stopping.wait(pause)

    def _run_once(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 — what `slipway server up` wrote down
                self.argv, env=self.environment, cwd=self.cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        record(self.child_file, child.pid)
        while child.poll() is None and not self.stopping.wait(0.2):
            pass
        if child.poll() is None:
            threading.Thread(target=child.wait, daemon=True).start()  # so that it does not stay a zombie
            stop_group(child.pid, self.stop_s)
        else:
            stop_group(child.pid, 0)
        self.child_file.unlink(missing_ok=True)


def supervise() -> None:
    """Entry point."""
    supervisor = Supervisor(Path(sys.argv[1]), sys.argv[2])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, supervisor.stop)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    supervisor.run()


if __name__ == "__main__":
    supervise()
