"""Where the ways are measured: the lab that runs, with the sample stack in several releases. All names stand here."""

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.bench import alone
from benchmarks.command import BenchmarkFailed, run
from benchmarks.lab import CHECKOUT, NETWORK, STATE
from benchmarks.sample import copy_sample
from benchmarks.slipway import in_process
from flows.build_push import build_push
from flows.core.droplet.directories import StackDirectory
from flows.core.traffic.colours import other
from flows.deploy import deploy
from flows.deploy_home import deploy_home
from flows.settings import Settings

STACK = "agents"
TAGS = ("bench-switch-1", "bench-switch-2", "bench-switch-3")
FRONT_PORT = 8000  # where the stack's first service listens on each colour
_PATIENCE = 60.0
_RESTING = 1.0


@dataclass(frozen=True)
class Ground:
    """The lab: the switch's address, the droplet of each colour, and the releases that were published."""

    settings: Settings
    tags: tuple[str, ...]
    tell: Callable[[str], None]

    @property
    def url(self) -> str:
        """The edge's address, where clients ask."""
        return self.settings.edge_url

    def active(self) -> str:
        """The colour that traffic reaches."""
        said = httpx.get(self.settings.active_url, timeout=5, trust_env=False).text.strip()
        if said not in ("green", "blue"):
            raise BenchmarkFailed(f"the edge says '{said[:80]}', which is no colour. Look first: slipway status")
        return said

    def droplet(self, colour: str) -> str:
        """The Droplet block of a colour; the lab has one each."""
        return self.settings.colours.droplets(colour)[0]

    def machine(self, colour: str) -> str:
        """The name of a colour's droplet on the lab's network."""
        return f"{NETWORK}-{self.droplet(colour)}"

    def home(self) -> StackDirectory:
        """Where the stack stands on a droplet."""
        return StackDirectory("/opt/slipway", STACK)

    def inside(self, colour: str, script: str) -> str:
        """Run a script on a colour's droplet, past SSH and past Slipway."""
        return run(["docker", "exec", "--interactive", self.machine(colour), "sh"], stdin=script.encode())

    def put(self, tag: str, colour: str) -> str:
        """Deploy a release there; returns the name of its directory."""
        in_process(lambda: deploy(tag, STACK, self.droplet(colour)))
        return self.inside(colour, f"basename $(readlink {self.home().current})").strip()


def answering(url: str, wanted: Callable[[str], bool] = bool, patience: float = _PATIENCE) -> str:
    """The release that answers at this edge, as soon as it is one that is wanted.

    Raises:
        BenchmarkFailed: none was, in that time.
    """
    deadline, said = time.monotonic() + patience, "nothing"
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError, ValueError, KeyError):
            answer = httpx.get(f"{url}/health", timeout=2, trust_env=False)
            said = str(answer.raise_for_status().json()["release"])
            if wanted(said):
                return said
        time.sleep(_RESTING / 5)
    raise BenchmarkFailed(f"{url} answers with {said} after {patience:g} s; another release was to answer")


@contextlib.contextmanager
def open_ground(releases: int, tell: Callable[[str], None]) -> Iterator[Ground]:
    """Publish the releases, and put one on the data home and one on each colour. The lab is left with them."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(alone())
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slipway-switch-")))
        stack.enter_context(_environment(place))
        stack.enter_context(contextlib.chdir(place))
        ground = Ground(Settings(), TAGS[:releases], tell)
        _refuse_half_a_lab(ground.settings)
        _publish(ground, place)
        active = ground.active()
        tell("Putting the first release on the data home and on the active colour, and the second on the idle one.")
        in_process(lambda: deploy_home(ground.tags[0], STACK, approval="never"))
        ground.put(ground.tags[0], active)
        ground.put(ground.tags[1], other(active))
        yield ground


def _publish(ground: Ground, place: Path) -> None:
    """Each release differs from the one before in one line of the service that traffic reaches."""
    sample = copy_sample(place, STACK)
    for number, tag in enumerate(ground.tags):
        if number:
            sample.change_front()
        ground.tell(f"Building and publishing {tag}.")
        in_process(lambda tag=tag: build_push(str(sample.directory), tag))  # type: ignore[misc]


def _refuse_half_a_lab(settings: Settings) -> None:
    missing = [name for name in ("switch", "home", "active_url", "edge_url") if not getattr(settings, name)]
    if missing:
        raise BenchmarkFailed(f"the lab's settings lack {', '.join(missing)}. Start it: make lab")


def credentials() -> dict[str, str]:
    """What the lab made for itself."""
    known: dict[str, str] = json.loads((STATE / "lab" / "credentials.json").read_text())
    return known


@contextlib.contextmanager
def _environment(place: Path) -> Iterator[None]:
    """The lab's own settings, and nothing of what a person's shell says of others."""
    client = [str(STATE / "bin")] if (STATE / "bin" / "docker").exists() else []
    before = dict(os.environ)
    os.environ.update(
        PATH=os.pathsep.join([*client, os.environ["PATH"]]),
        PYTHONPATH=str(CHECKOUT),
        SLIPWAY_STATE=str(STATE),
        SLIPWAY_SETTINGS=str(STATE / "settings.toml"),
        SLIPWAY_REPORTS=str(place / "reports"),
        SLIPWAY_STACK=STACK,
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
