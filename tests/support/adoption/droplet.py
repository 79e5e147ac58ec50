"""A droplet on which a plain project runs: scripts are run by `sh`, with an engine that remembers."""

import hashlib
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from blocks.errors import RemoteFailed
from blocks.ssh.shell import CommandResult
from flows.core.droplet.directories import StackDirectory
from flows.core.release.release import Release
from flows.core.stack.side_by_side.facts import Exposed, SideBySide
from flows.settings import Settings
from flows.tasks.droplet.target import Target
from tests.support.adoption.engine import DOCKER, LABEL, Engine
from tests.support.builders import pinned, release

VOLUME_LABEL = "com.docker.compose.volume"
DIGEST = f"sha256:{'a' * 64}"


def identity(name: str) -> str:
    """The id of a container or network of this name."""
    return hashlib.sha256(name.encode()).hexdigest()


def entry(service: str, project: str = "shop", **more) -> dict:
    """A container as the engine knows it."""
    name = more.get("name", f"{project}-{service}-1")
    return {
        "Id": identity(f"{project}/{name}"),
        "Name": f"/{name}",
        "State": {"Status": more.get("state", "running")},
        "Config": {
            "Labels": {
                LABEL: project,
                "com.docker.compose.service": service,
                "com.docker.compose.oneoff": more.get("one_off", "False"),
                "com.docker.compose.project.working_dir": more.get("directory", "/srv/shop"),
            }
        },
        "HostConfig": {
            "RestartPolicy": {"Name": more.get("restart", "always"), "MaximumRetryCount": more.get("retries", 0)},
            "AutoRemove": more.get("removes_itself", False),
            "PortBindings": more.get("ports"),
        },
        "Mounts": more.get("mounts", []),
    }


def volume_mount(name: str, at: str = "/data") -> dict:
    return {"Type": "volume", "Name": name, "Source": f"/volumes/{name}", "Destination": at, "RW": True}


def bind_mount(source: str, at: str = "/files") -> dict:
    return {"Type": "bind", "Source": source, "Destination": at, "RW": True}


def beside(**more) -> SideBySide:
    """What a release says of two colours on one droplet."""
    return SideBySide(exposed={"web": Exposed(hosts=("shop.example.com",), port=8000)}, **more)


def adopted_release(**more) -> Release:
    """A release of shop: a database at home, a colour that the edge serves, and a job."""
    given = {
        "side_by_side": beside(),
        "services": {name: pinned(name) for name in ("db", "web", "job")},
        "home": ("db",),
        "volumes": {"db": "shop_db"},
        "state": ("uploads",),
        **more,
    }
    return release(**given)


@dataclass
class PlayedDroplet:
    """A directory that plays a droplet with an engine."""

    root: Path
    engine: Engine

    @property
    def address(self) -> SimpleNamespace:
        return SimpleNamespace(name="prod")

    @property
    def directory(self) -> str:
        return str(self.root / "it's a $PLACE")

    @property
    def source(self) -> Path:
        return self.root / "srv/shop"

    def run(self, command, *, timeout, stdin=b"", on_line=None, check=True) -> CommandResult:
        words = command if isinstance(command, str) else shlex.join(command)
        place = str(self.root / "bin")
        env = {"PATH": f"{place}:{os.environ['PATH']}", "ENGINE": place, "HOME": str(self.root), "LC_ALL": "C"}
        done = subprocess.run(["sh", "-c", words], input=stdin, env=env, capture_output=True, timeout=60, check=False)
        if check and done.returncode:
            raise RemoteFailed(f"exit {done.returncode}: {done.stderr.decode()}", done.returncode, "")
        return CommandResult(done.returncode, done.stdout.decode(), done.stderr.decode())

    def starts(self, project: str, *services: str) -> None:
        """Start services of a project, as a deploy does."""
        for service in services:
            self.add(entry(service, project))["State"]["Status"] = "running"

    def add(self, container: dict) -> dict:
        """Make a container, where there is none of its id."""
        return self.engine.containers.setdefault(container["Id"], container)

    def of(self, project: str) -> dict[str, tuple[str, str, str]]:
        """Service → its container's name, state and restart policy."""
        return {
            one["Config"]["Labels"]["com.docker.compose.service"]: (
                one["Name"].lstrip("/"), one["State"]["Status"], one["HostConfig"]["RestartPolicy"]["Name"],
            )
            for one in self.engine.containers.values()
            if one["Config"]["Labels"][LABEL] == project
        }  # fmt: skip

    def running(self) -> set[str]:
        """Names of all containers that run."""
        states = ((one["Name"].lstrip("/"), one["State"]["Status"]) for one in self.engine.containers.values())
        return {name for name, state in states if state == "running"}

    @property
    def marker(self) -> Path:
        return Path(self.directory) / ".adopted/shop.json"


class PlayedTarget(Target):
    """A target whose droplet is a directory."""

    @contextmanager
    def connected(self, patience: float = 0.0) -> Iterator[PlayedDroplet]:
        yield self.droplet.played

    @contextmanager
    def locked(self, purpose: str, wait: float = 0.0, patience: float = 0.0) -> Iterator[PlayedDroplet]:
        yield self.droplet.played


def played_target(droplet: PlayedDroplet, part: str) -> PlayedTarget:
    block = SimpleNamespace(name=f"prod/{part}", block="prod", part=part, directory=droplet.directory, played=droplet)
    settings = Settings(green=("prod",), blue=("prod",), home="prod", start_timeout=0.01)
    return PlayedTarget(block, StackDirectory(droplet.directory, f"shop-{part}"), settings)


@contextmanager
def open_droplet(tmp_path: Path) -> Iterator[PlayedDroplet]:
    """A droplet on which shop runs: a database with a volume, a directory and a fixed name; a web service; a job."""
    droplet = PlayedDroplet(tmp_path, Engine({}, {}, {identity("n"): {"name": "shop_default", "project": "shop"}}))
    (tmp_path / "bin").mkdir()
    docker = tmp_path / "bin/docker"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    Path(droplet.directory).mkdir()
    (droplet.source / "uploads").mkdir(parents=True)
    (droplet.source / "uploads/a").write_text("first")
    place = str(droplet.source)
    port = {"5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": "5432"}]}
    mounts = [volume_mount("shop_db"), bind_mount(f"{place}/uploads")]
    for container in (
        entry("db", name="database", directory=place, ports=port, mounts=mounts),
        entry("web", directory=place, restart="on-failure", retries=3, ports={"80/tcp": [{"HostPort": "8080"}]}),
        entry("job", directory=place, restart="no", state="exited"),
        entry("other", "billing"),
        entry("caddy", "slipway-edge"),
    ):
        droplet.add(container)
    droplet.engine.volumes["shop_db"] = {"Name": "shop_db", "Mountpoint": "/nowhere", "Labels": {VOLUME_LABEL: "db"}}
    with droplet.engine.served(tmp_path / "bin"):
        yield droplet
