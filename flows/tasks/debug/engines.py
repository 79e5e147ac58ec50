"""Where services are looked at: on a droplet through its SSH connection, or on the engine of this host."""

import os
from abc import ABC, abstractmethod
from pathlib import Path

import httpx

from blocks.http.bounded import bounded_client
from blocks.ssh.http import http_client
from blocks.ssh.shell import RemoteShell
from flows.core.debug.overview import StackOverview, overview_script, read_overview
from flows.core.droplet.containers import Container
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.docker_commands import Compose
from flows.settings import Settings
from flows.tasks.build_host import run
from flows.tasks.droplet.connection import QUICK
from flows.tasks.runs.blocks import engine_environment
from flows.tasks.runs.log_masking import masked_line

# Seconds within which an unhealthy service should say what it has to say to a GET.
_PATIENCE = 3.0


class Engine(ABC):
    """A place where a stack runs. `home` is the stack's directory there, None where no release is ever put."""

    stack: str
    place: str
    short: str
    home: StackDirectory | None = None

    @abstractmethod
    def run_script(self, script: str) -> tuple[str, str]:
        """Run a script; what it printed, and in words why it failed ('' if it did not)."""

    @abstractmethod
    def http(self) -> httpx.Client:
        """A client that reaches the containers."""

    @abstractmethod
    def address(self, overview: StackOverview, container: Container, port: int) -> str:
        """`host:port` under which that client reaches a container's port; '' when it cannot."""

    def overview(self) -> StackOverview:
        """What stands there of the stack."""
        out, trouble = self.run_script(overview_script(self.stack, self.home))
        return read_overview(self.stack, self.place, out, trouble=trouble)


class DropletEngine(Engine):
    """A droplet."""

    def __init__(self, session: RemoteShell, directory: StackDirectory, settings: Settings) -> None:
        self.stack, self.home = directory.stack, directory
        self.place, self.short = f"droplet {session.address.name}", session.address.name
        self._session = session
        self._patience = min(_PATIENCE, settings.probe_timeout)

    def run_script(self, script: str) -> tuple[str, str]:
        answer = self._session.run(script, timeout=QUICK, check=False)
        return answer.out, _trouble(answer.code, answer.err)

    def http(self) -> httpx.Client:
        return http_client(self._session, self._patience)

    def address(self, overview: StackOverview, container: Container, port: int) -> str:
        return f"{container.address}:{port}" if container.address else ""


class LocalEngine(Engine):
    """The engine of this host, with a project that somebody develops on it."""

    def __init__(self, stack: str, settings: Settings) -> None:
        self.stack, self.place, self.short = stack, "this host", "local"
        self._docker = settings.docker
        self._patience = min(_PATIENCE, settings.probe_timeout)
        self._environment = engine_environment(settings)
        if os.path.dirname(settings.docker):  # the scripts say `docker`
            self._environment["PATH"] = f"{os.path.dirname(settings.docker)}:{os.environ.get('PATH', '')}"

    def run_script(self, script: str) -> tuple[str, str]:
        answer = run(["sh", "-c", script], self._environment, QUICK)
        return answer.stdout, _trouble(answer.returncode, answer.stderr)

    def http(self) -> httpx.Client:
        return bounded_client("http://127.0.0.1", timeout=self._patience, trust_env=False)

    def address(self, overview: StackOverview, container: Container, port: int) -> str:
        """The published port where there is one: not every engine lets its host reach a container's own address."""
        ports = (overview.inspected[container.id].get("NetworkSettings") or {}).get("Ports") or {}
        for published in ports.get(f"{port}/tcp") or ():
            return f"127.0.0.1:{published['HostPort']}"
        return f"{container.address}:{port}" if container.address else ""

    def overview(self) -> StackOverview:
        """With the stack as Compose makes it of the files that the containers were started from."""
        out, trouble = self.run_script(overview_script(self.stack, None))
        overview = read_overview(self.stack, self.place, out, trouble=trouble)
        labels = dict(overview.containers[0].labels) if overview.containers else {}
        files = [file for file in labels.get("com.docker.compose.project.config_files", "").split(",") if file]
        if not files or not all(Path(file).is_file() for file in files):
            return overview
        config = run(Compose(self.stack, tuple(files), docker=self._docker).config(), self._environment, QUICK)
        return read_overview(self.stack, self.place, out, config.stdout, trouble)


def _trouble(code: int, complaint: str) -> str:
    return "" if code == 0 else masked_line((complaint.strip().splitlines() or [f"exit {code}"])[-1])
