"""Services of this machine: as units of systemd where it runs, as supervised processes elsewhere."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

from flows.core.control.server import MachineService, unit_text
from flows.core.errors import ServerNotReady
from flows.tasks.control.supervisor import record, recorded

_COMMAND_S = 60


class Services(Protocol):
    """What starts and stops services here."""

    survives: str
    """How they come back after a reboot, as a sentence."""

    def start(self, service: MachineService) -> str:
        """Keep it running from now on. Returns `started`, `restarted`, or '' where it runs so already."""

    def stop(self, name: str) -> bool:
        """Stop it for good; whether it ran."""

    def running(self, name: str) -> bool:
        """Whether it is kept running."""


class SupervisedServices:
    """Processes, each with a supervisor that outlives this terminal."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.survives = (
            "There is no systemd here: after a reboot run `slipway server up` again, or let cron do it (crontab -e): "
            f"@reboot {sys.executable} -m flows.cli server up --directory {directory.parent}"
        )

    def start(self, service: MachineService) -> str:
        """See Services."""
        file = self.directory / f"{service.name}.json"
        wanted = json.dumps(dataclasses.asdict(service), indent=1, sort_keys=True)
        ran = self.running(service.name)
        if ran and file.is_file() and file.read_text() == wanted:
            return ""
        if ran:
            self.stop(service.name)
        file.write_text(wanted)
        with (self.directory / f"{service.name}.supervisor.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 — our own Python
                [sys.executable, "-m", "flows.tasks.control.supervisor", str(self.directory), service.name],
                cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        record(self._pid_file(service.name), process.pid)
        return "restarted" if ran else "started"

    def stop(self, name: str) -> bool:
        """See Services."""
        pid = recorded(self._pid_file(name))
        if pid:
            seconds = json.loads((self.directory / f"{name}.json").read_text())["stop_s"]
            os.kill(pid, 15)
            deadline = time.monotonic() + seconds + 10
            while recorded(self._pid_file(name)):
                if time.monotonic() > deadline:
                    raise ServerNotReady(f"{name} (process {pid}) does not stop. Look at it: ps -fp {pid}")
                _reap(pid)
                time.sleep(0.1)
        self._pid_file(name).unlink(missing_ok=True)
        return bool(pid)

    def running(self, name: str) -> bool:
        """See Services."""
        return bool(recorded(self._pid_file(name)))

    def _pid_file(self, name: str) -> Path:
        return self.directory / f"{name}.pid"


def _reap(pid: int) -> None:
    """Take the exit status of a child of ours; nothing for somebody else's."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


class SystemdServices:
    """Units of systemd: the system's for root, else the user's own, which then go on without a login."""

    def __init__(self) -> None:
        self.user = os.geteuid() != 0
        self._systemctl = ["systemctl", *(["--user"] if self.user else [])]
        config = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
        self.units = config / "systemd/user" if self.user else Path("/etc/systemd/system")
        self.survives = "systemd starts both services after a reboot."

    def start(self, service: MachineService) -> str:
        """See Services."""
        file = self.units / f"{service.name}.service"
        text = unit_text(service, "default.target" if self.user else "multi-user.target")
        same, ran = file.is_file() and file.read_text() == text, self.running(service.name)
        if same and ran:
            return ""
        self.units.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        self._run("daemon-reload")
        if self.user:
            _checked(["loginctl", "enable-linger"])
        self._run("enable", "--quiet", file.name)
        self._run("restart", file.name)
        return "restarted" if ran else "started"

    def stop(self, name: str) -> bool:
        """See Services."""
        ran, file = self.running(name), self.units / f"{name}.service"
        if file.exists():
            self._run("disable", "--now", "--quiet", file.name)
            file.unlink()
            self._run("daemon-reload")
        return ran

    def running(self, name: str) -> bool:
        """See Services."""
        argv = [*self._systemctl, "is-active", "--quiet", f"{name}.service"]
        return subprocess.run(argv, check=False, timeout=_COMMAND_S).returncode == 0  # noqa: S603 — systemd, by arguments of ours

    def _run(self, *words: str) -> None:
        _checked([*self._systemctl, *words])


def _checked(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_COMMAND_S)  # noqa: S603 — systemd, by arguments of ours
    if done.returncode:
        raise ServerNotReady(f"`{' '.join(argv)}` ended with {done.returncode}: {done.stderr.strip()[:500]}")


def services_here(directory: Path) -> Services:
    """systemd where it runs and takes our units, supervised processes elsewhere."""
    if Path("/run/systemd/system").is_dir() and shutil.which("systemctl"):
        if os.geteuid() == 0:
            return SystemdServices()
        asked = subprocess.run(
            ["systemctl", "--user", "show-environment"],  # noqa: S607 — from PATH
            capture_output=True,
            check=False,
            timeout=_COMMAND_S,
        )
        if asked.returncode == 0:
            return SystemdServices()
    return SupervisedServices(directory)
