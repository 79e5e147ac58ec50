"""A droplet that is this machine, with a docker that notes what it is told."""

import os
import sys
from pathlib import Path

import pytest

from blocks.ssh.keys import SshTarget
from tests.support.edge import docker
from tests.support.local_session import LocalSession


class Droplet(LocalSession):
    """A session with it; `place` holds what its docker knows."""

    address = SshTarget("prod", "203.0.113.7", 22, "root", "")

    def __init__(self, place: Path) -> None:
        super().__init__({"PATH": f"{place}:{os.environ['PATH']}"})
        self.place, self.directory = place, str(place / "slipway")
        self.edge = place / "slipway/.edge"

    def run(self, command, *, timeout, stdin=b"", name=""):
        argv = ["sh", "-c", command] if isinstance(command, str) else command
        return super().run(argv, timeout=timeout, stdin=stdin, name=name)

    def docker_was_asked(self, *words: str) -> list[str]:
        """The calls of docker with these words, since it was last asked here."""
        log = self.place / "asked"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [line for line in lines if all(word in line.split() for word in words)]

    def containers(self) -> dict[str, str]:
        """Id → mark."""
        return {one.name: one.read_text() for one in (self.place / "containers").iterdir()}


@pytest.fixture
def droplet(tmp_path) -> Droplet:
    program = tmp_path / "docker"
    program.write_text(f"#!{sys.executable} -IS\n{Path(docker.__file__).read_text()}")
    program.chmod(0o755)
    (tmp_path / "containers").mkdir()
    return Droplet(tmp_path)
