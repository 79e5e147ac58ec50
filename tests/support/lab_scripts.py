"""The lab's scripts on a machine of their own: a PATH without Docker, a state directory that is thrown away."""

import importlib.util
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from tests import CHECKOUT

LAB = CHECKOUT / "compose" / "lab"
ABSENT = ("docker", "dockerd", "apt-get", "sudo", "systemctl")
"""Tools that a test brings itself or that must not be there: nothing of the machine may be changed by a test."""


def lab_certificates() -> ModuleType:
    """The lab's script that makes its authority and certificates, as a module."""
    spec = importlib.util.spec_from_file_location("lab_certificates", LAB / "certificates.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _usual_tools() -> TemporaryDirectory[str]:
    """A directory with every other tool of this machine, made once: there are many. It goes with this process."""
    directory = TemporaryDirectory(prefix="slipway-usual-")
    for tool in Path("/usr/bin").iterdir():
        if not tool.name.startswith(ABSENT):
            (Path(directory.name) / tool.name).symlink_to(tool)
    return directory


@dataclass(frozen=True)
class Machine:
    """A machine whose only tools are the usual ones and those put into `tools`."""

    root: Path

    @classmethod
    def at(cls, root: Path) -> "Machine":
        """Make one under `root`."""
        machine = cls(root)
        machine.tools.mkdir()
        machine.state.mkdir()
        return machine

    @property
    def tools(self) -> Path:
        return self.root / "tools"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def calls(self) -> list[str]:
        """What the tools put here were asked, one line a call."""
        log = self.root / "calls"
        return log.read_text().splitlines() if log.exists() else []

    def put(self, name: str, script: str) -> Path:
        """A tool called `name` that notes how it is called and then runs `script`."""
        path = self.tools / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/bash\nprintf "%s\\n" "$*" >>{self.root / "calls"}\n{script}\n')
        path.chmod(0o755)
        return path

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a script of the lab, or bash code with `-c`, on this machine."""
        env = {
            "PATH": f"{self.tools}:{_usual_tools().name}",
            "HOME": str(self.root),
            "SLIPWAY_STATE": str(self.state),
            "SLIPWAY_PACKAGED_CLIENT": str(self.tools / "packaged" / "docker"),
            "SLIPWAY_PACKAGED_ENGINE": str(self.tools / "packaged" / "dockerd"),
            "LAB_DIR": str(LAB),
            "SLIPWAY_TEST": str(os.getpid()),
        } | variables
        first = LAB / command[0]
        argv = ["bash", *command] if command[0] == "-c" else [str(first), *command[1:]]
        return subprocess.run(
            argv, env=env, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False
        )
