"""A colour of one droplet that is a directory here, with a `docker` that stops and starts a few containers.

What is run there is run by `sh`, so the scripts are the real ones.
"""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from blocks.errors import RemoteFailed
from blocks.ssh.shell import CommandResult
from blocks.traffic.state import SwitchState
from flows.core.droplet.asleep import SleepMarker
from flows.core.droplet.directories import StackDirectory
from flows.core.errors import DropletBusy
from flows.core.records.storage import records_tar, write_records
from flows.settings import Settings
from flows.tasks.deploy import readiness, steps
from flows.tasks.traffic import colours, sleep, waking
from flows.tasks.traffic.colours import ColourDroplets
from tests.support.builders import HOST, pinned, record, release
from tests.support.fake_droplet import Host, make_host

DOCKER = (
    f"#!{sys.executable}\n"
    + r"""
import json, pathlib, sys
here, words = pathlib.Path(__file__).parent.parent, sys.argv[1:]
containers = json.loads((here / "containers").read_text())
with (here / "asked").open("a") as asked:
    asked.write(" ".join(words) + "\n")
if words[0] == "compose":
    if (here / "broken").exists():
        sys.exit("the engine is odd")
    verb = next(word for word in words if word in ("stop", "up"))
    for one in containers:
        if verb == "stop" and one["State"]["Status"] == "running":
            one["State"] = {"Status": "exited", "ExitCode": 143}
        elif verb == "up" and one["Id"] in words[words.index("up"):]:
            one["State"] = {"Status": (here / "becomes").read_text()}
    (here / "containers").write_text(json.dumps(containers))
elif words[:2] == ["ps", "--all"]:
    print(*(one["Id"] for one in containers))
elif words[:2] == ["inspect", "--format"]:
    print(*{one["Image"] for one in containers}, sep="\n")
elif words[0] == "inspect":
    print(json.dumps(containers))
elif words[:2] == ["image", "inspect"]:
    print((here / "images").read_text())
"""
)
CONFIG = f"""\
name: shop
services:
  web: {{image: {HOST}/web:1, restart: always}}
  tool: {{image: {HOST}/tool:1}}
  job: {{image: {HOST}/job:1}}
"""
SERVICES = ("web", "tool", "job")
LOG = logging.getLogger("test")


@dataclass
class FakeTarget:
    """Stands in for a `Target`; `busy` are the purposes of those who wait in vain for its lock."""

    name: str
    host: Host
    settings: Settings
    log: list[str]
    away: Exception | None = None
    busy: bool = False

    @property
    def directory(self) -> StackDirectory:
        return self.host.home

    @property
    def stack(self) -> str:
        return self.host.home.stack

    @property
    def droplet(self) -> SimpleNamespace:
        return SimpleNamespace(name=self.name, directory=self.host.home.directory)

    @property
    def address(self) -> SimpleNamespace:
        return SimpleNamespace(name=self.name)

    @contextmanager
    def connected(self) -> Iterator["FakeTarget"]:
        if self.away:
            raise self.away
        yield self

    @contextmanager
    def locked(self, purpose: str, wait: float = 0.0, patience: float = 0.0) -> Iterator["FakeTarget"]:
        if self.away:
            raise self.away
        if self.busy:
            raise DropletBusy("another changes it")
        self.log.append(f"droplet's lock: {purpose}")
        yield self

    def run(self, command, *, stdin: bytes = b"", check: bool = True, **_options) -> CommandResult:
        argv = ["sh", "-c", command] if isinstance(command, str) else list(command)
        done = subprocess.run(argv, input=stdin, env=self.host.env, capture_output=True, check=False)
        answer = CommandResult(done.returncode, done.stdout.decode(), done.stderr.decode())
        if check and answer.code:
            raise RemoteFailed(f"exit {answer.code}", answer.code, answer.err)
        return answer


@dataclass
class FakeColour:
    """A colour, what was done to it in order, and who holds the lock of those who turn traffic to it."""

    target: FakeTarget
    colour: ColourDroplets
    log: list[str] = field(default_factory=list)
    turned_by: str = ""

    @property
    def root(self) -> Path:
        return self.target.host.root

    @property
    def marker(self) -> Path:
        return Path(self.target.host.home.asleep)

    @property
    def running(self) -> set[str]:
        """The services that have a running container."""
        return {one["Id"] for one in self._containers() if one["State"]["Status"] == "running"}

    def _containers(self) -> list[dict]:
        return json.loads((self.root / "containers").read_text())

    def put(self, **states: str) -> None:
        """Containers of these services in these states."""
        labels = {"com.docker.compose.oneoff": "False", "com.docker.compose.project": "shop"}
        said = [
            {"Id": name, "Name": f"/shop-{name}-1", "Image": f"sha256:{name}", "State": {"Status": state},
             "Config": {"Image": name, "Labels": {**labels, "com.docker.compose.service": name}}}
            for name, state in states.items()
        ]  # fmt: skip
        (self.root / "containers").write_text(json.dumps(said))

    def mark_asleep(self, *services: str, name: str = "v1.0") -> None:
        """The marker of one that went to sleep while these services ran."""
        self.marker.write_bytes(SleepMarker(name, services, "2026-05-04T12:00:00+00:00").document())

    def asked(self, word: str) -> list[str]:
        """What Docker was asked with this word in it."""
        place = self.root / "asked"
        return [line for line in place.read_text().splitlines() if word in line.split()] if place.exists() else []

    @contextmanager
    def turning(self, _session, _directory: str, purpose: str, wait: float = 0.0) -> Iterator[None]:
        """Stands in for `locked` on the colour's own directory."""
        if self.turned_by:
            raise DropletBusy(f"{self.turned_by} turns traffic")
        self.log.append(f"turning: {purpose}" + (f", waits {wait:g} s" if wait else ""))
        yield


class FakeSwitch:
    """A switch that points where a test says; each reading is noted."""

    name, client_impact, url, last_report, in_front = "edge", "Nothing is cut.", "http://edge", "", False

    def __init__(self, *active: str, log: list[str] | None = None) -> None:
        self.states = [SwitchState(active)]
        self.log = log if log is not None else []

    def __str__(self) -> str:
        return "switch edge"

    def read(self) -> SwitchState:
        self.log.append("switch read")
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]


def make_colour(tmp_path: Path, monkeypatch, colour: str = "green", **settings) -> FakeColour:
    """A colour that runs release v1: `web` and `tool` run, `job` has ended well. No Prefect and no SSH are needed."""
    host = make_host(tmp_path)
    log: list[str] = []
    given = {"green": ("one/green",), "blue": ("one/blue",), "readiness_delay": 0.0, "drain": 0}
    given["lock_patience"] = 7.0
    target = FakeTarget(f"one/{colour}", host, Settings(**{**given, **settings}), log)
    made = FakeColour(target, ColourDroplets(colour, "shop", (target,)), log)
    (tmp_path / "bin/docker").write_text(DOCKER)
    at = Path(host.home.release("v1.0"))
    at.mkdir(parents=True)
    Path(host.home.current).symlink_to("releases/v1.0")
    (at / "release.json").write_bytes(release(services={name: pinned(name) for name in SERVICES}).document())
    (at / "config.yml").write_text(CONFIG)
    (at / "environment").write_text("A=1\n")
    target.run(write_records(host.home), stdin=records_tar([record(1, "v1")]))
    images = [json.dumps({"id": f"sha256:{name}", "digests": [pinned(name)]}) for name in SERVICES]
    (tmp_path / "images").write_text("\n".join(images))
    (tmp_path / "becomes").write_text("running")
    made.put(web="running", tool="running", job="exited")
    _without_prefect(monkeypatch, made)
    return made


def _without_prefect(monkeypatch, made: FakeColour) -> None:
    """Tasks are plain functions, and logs are those of Python."""
    for module in (readiness, steps, colours, sleep, waking):
        if hasattr(module, "get_run_logger"):
            monkeypatch.setattr(module, "get_run_logger", lambda: LOG)
    for module, name, plain in (
        (colours, "read_states", colours.read_states.fn), (sleep, "read_states", colours.read_states.fn),
        (waking, "read_states", colours.read_states.fn), (sleep, "read_switch", lambda switch: switch.read()),
        (sleep, "sleep_services", sleep.sleep_services.fn), (waking, "wake_services", waking.wake_services.fn),
        (waking, "wait_until_ready", readiness.wait_until_ready.fn),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, plain)
    monkeypatch.setattr(sleep, "locked", made.turning)
    monkeypatch.setattr(waking, "locked", made.turning)
