"""Two colours with a data home and an edge of their own, for cases in which traffic moves."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from edge import COLOURS, Edge, open_edge
from fault import Fault
from provider import Provider, closed_port
from releasing import OnDroplet, Registry, Said, forget, saved, settings
from results import Case
from standing import eventually, newest
from trio import LIES, Trio
from victim import Victim

FIRST, SECOND, LYING = "v1", "v2", "lying"
_PORT = 18000
# Nothing that a case does not ask for takes time, or asks anybody.
_QUICK = {
    "SLIPWAY_PROMETHEUS": "", "SLIPWAY_GATE_WINDOW": "0", "SLIPWAY_WATCH": "0", "SLIPWAY_SWITCH_TIMEOUT": "5",
    "SLIPWAY_WATCH_INTERVAL": "0.5", "SLIPWAY_APPROVAL": "never", "SLIPWAY_HEALTH_PATIENCE": "1",
    "SLIPWAY_TRACE_TIMEOUT": "2", "SLIPWAY_PROVIDER_TIMEOUT": "1",
}  # fmt: skip


def other(colour: str) -> str:
    """The other colour."""
    return "blue" if colour == "green" else "green"


@dataclass(frozen=True)
class Scene:
    """How a case began: the colours, the release on each, the edge's file, and a row at home that nobody may lose."""

    active: str
    idle: str
    tags: dict[str, str]
    mark: str
    row: str


@dataclass
class Pair:
    """One stack on both colours, seen from inside; a case has it for itself.

    Args:
        stack: its name, which stands in all of its other names.
        sides: colour → the stack there, as a trio without its keeper.
        home: its keeper, on the lab's data home.
        environment: the settings of its commands.
        case: the row of the table that the case fills in.
    """

    stack: str
    sides: dict[str, Trio]
    home: OnDroplet
    edge: Edge
    provider: Provider
    place: Path
    environment: dict[str, str]
    case: Case = field(default_factory=Case)
    _victims: list[Victim] = field(default_factory=list)
    _numbers: Any = field(default_factory=count)

    def says(self, fault: str, step: object, expected: str) -> None:
        """Fill in this case's row of the table."""
        self.case.fault, self.case.step, self.case.expected = fault, str(step), expected

    # What is run.

    def victim(self, words: list[str], more: dict[str, str] | None = None, **fault: Any) -> Victim:
        """Start a command that carries a fault: `promote`, `--tag`, … with further settings; see `Stage.victim`."""
        place = self.place / f"run-{next(self._numbers)}"
        place.mkdir()
        begun = Victim(words, {**self.environment, **(more or {})}, Fault(str(place), **fault))
        self._victims.append(begun)
        return begun

    def promote(self, *words: str) -> list[str]:
        return self.words("promote", *words)

    def words(self, verb: str, *words: str) -> list[str]:
        return [verb, "--stack", self.stack, *words]

    def deploy(self, tag: str, colour: str) -> list[str]:
        return self.words("deploy", "--tag", tag, "--droplet", self.block(colour))

    def block(self, where: str) -> str:
        """The name of a block of this pair: green, blue, data, away, edge, prometheus …"""
        return f"{self.stack}-{where}"

    def say(self, words: list[str], more: dict[str, str] | None = None, within: float = 60.0) -> Said:
        """Run a command to its end, without a fault."""
        return self.victim(words, more).wait(within)

    def done(self, words: list[str], more: dict[str, str] | None = None) -> Said:
        """Run a command, which must succeed."""
        said = self.say(words, more)
        assert said.code == 0, said.all
        return said

    def state(self, victim: Victim) -> str:
        """What Prefect says of a victim's run."""
        api = os.environ["PREFECT_API_URL"].rstrip("/")
        answer = httpx.get(f"{api}/flow_runs/{victim.run()}", timeout=30).raise_for_status().json()
        return str(answer["state"]["type"])

    # What is there.

    def settle(self) -> Scene:
        """Good releases on both colours, traffic on the one that was put there earlier, and a row at home."""
        self.edge.well()
        for colour, tag in zip(COLOURS, (FIRST, SECOND), strict=True):
            self._make_good(colour, tag)
        found = {colour: newest(self.sides[colour]) for colour in COLOURS}
        active, idle = sorted(COLOURS, key=lambda colour: found[colour]["began"])
        self.edge.point(active)
        row = f"row-{uuid4().hex[:8]}"
        self.home.inside("keeper", "/srv/part", "ask", "POST", "/rows", row)
        return Scene(active, idle, {c: found[c]["tag"] for c in COLOURS}, self.edge.mark(), row)

    def sicken(self, colour: str) -> None:
        """From now on its front says that it is not well."""
        self.sides[colour].droplet.inside("front", "touch", "/srv/sick")

    def heal(self, colour: str) -> None:
        self.sides[colour].droplet.inside("front", "rm", "-f", "/srv/sick")

    def wipe(self, colour: str) -> None:
        """Take the stack off a colour."""
        droplet = self.sides[colour].droplet
        droplet.remove("nothing")
        droplet.sh(f"rm -rf {droplet.directory}")

    def clear(self, failed: bool) -> None:
        """Make it ready for the next case. After a failed case, both colours are made anew."""
        for begun in self._victims:
            begun.end()
        self._victims.clear()
        self.provider.mode = "well"
        self.edge.well()
        for colour in COLOURS:
            if failed:
                self.wipe(colour)
            elif self.sides[colour].droplet.containers():
                self.heal(colour)
        ids = self.home.sh(f"docker ps -aq --filter label=com.docker.compose.project={self.home.stack}").split()
        if ids:
            self.home.sh(f"docker start {' '.join(ids)} >/dev/null")

    def _make_good(self, colour: str, tag: str) -> None:
        trio = self.sides[colour]
        try:
            if newest(trio)["outcome"] == "good" and trio.version():
                return
        except (AssertionError, KeyError, ValueError):
            pass
        self.done(self.deploy(tag, colour))
        self.done(self.words("validate", "--droplet", self.block(colour)))

    # What must hold in the end.

    def untouched(self, scene: Scene) -> None:
        """Nobody so much as wrote to the switch, and the end is as it should be."""
        assert self.edge.mark() == scene.mark
        self.ended_well(scene, scene.active)

    def ended_well(self, scene: Scene, colour: str, tag: str | None = None) -> None:
        """The edge points at exactly this colour, whose release answers through it; no lock is left; the row at home
        is there; `status` works.

        Args:
            tag: of the release that answers; default: the one that stood there in the beginning.
        """
        self.tidy(scene)
        assert self.edge.files() == [colour]
        assert self.edge.through() == (200, colour, tag or scene.tags[colour])

    def tidy(self, scene: Scene) -> None:
        """What must hold wherever traffic is."""
        for droplet in (*(side.droplet for side in self.sides.values()), self.home):
            eventually(lambda droplet=droplet: droplet.sh(_leftovers(droplet)).strip(), "", 5.0)  # type: ignore[misc]
        assert scene.row in self.home.inside("keeper", "/srv/part", "ask", "GET", "/rows").split()
        status = json.loads(self.done(self.words("status", "--json")).out)
        assert not any(said.get("locked_by") or said.get("trouble") for said in status.values()), status

    def goes_on(self, scene: Scene, tag: str = SECOND) -> None:
        """A promotion that comes next works: the same command again."""
        (before,) = self.edge.files()
        self.done(self.promote("--tag", tag))
        self.ended_well(scene, other(before), tag)


def _leftovers(droplet: OnDroplet) -> str:
    """Prints the lock when it is held or names a holder, releases on their way, and half-written files."""
    directory, home = droplet.directory, droplet.home
    return f"""set +e
        [ ! -e {directory}/lock ] || flock -n {directory}/lock true || echo "the lock is held"
        cat {directory}/lock.holder {directory}/lock.busy 2>/dev/null
        ls -A {home}/incoming 2>/dev/null
        find {home} {directory}/lock* -path '*/releases/*' -prune -o -name '*.new' -print 2>/dev/null
        true"""


@contextmanager
def open_pair(number: int, registry: Registry, tmp: Path) -> Iterator[Pair]:
    """A pair whose home is deployed and whose releases are published; afterwards nothing of it is left anywhere."""
    from blocks import CaddySwitch, Droplet, Langfuse, Prometheus, StackEnvironment  # noqa: PLC0415

    stack, port = f"pair-{number}", _PORT + number
    home = OnDroplet("data", f"{stack}-home", f"/opt/{stack}")
    second = OnDroplet("data", stack, f"/opt/{stack}-second")
    droplets = {colour: OnDroplet(colour, stack, f"/opt/{stack}") for colour in COLOURS}
    environment = settings(
        tmp / "reports", SLIPWAY_REGISTRY=f"{stack}-registry", SLIPWAY_READINESS_DELAY="0.3",
        SLIPWAY_GREEN=f'["{stack}-green"]', SLIPWAY_BLUE=f'["{stack}-blue"]', SLIPWAY_HOME=f"{stack}-data",
        SLIPWAY_SWITCH=f"{stack}-edge", SLIPWAY_STACK=stack, SLIPWAY_DROPLET=f"{stack}-green", **_QUICK,
    )  # fmt: skip
    with ExitStack() as closing:
        for droplet in (home, second, *droplets.values()):  # the images of the data home go when both are gone
            images = "nothing" if droplet is second else f"{registry.namespace}.{stack}"
            tidies = (partial(droplet.remove, images), partial(_forget_directory, droplet))
            for tidy in tidies:
                tidy()  # what a killed run left
                closing.callback(tidy)
        forget(StackEnvironment, stack)
        closing.callback(forget, StackEnvironment, stack)
        edge = closing.enter_context(open_edge(stack, port))
        provider = Provider()
        closing.callback(provider.close)
        blocks = {
            colour: Droplet.load(colour).model_copy(update={"directory": f"/opt/{stack}"})
            for colour in (*COLOURS, "data")
        }
        blocks["away"] = blocks["data"].model_copy(update={"port": closed_port()})
        blocks["second"] = blocks["data"].model_copy(update={"directory": second.directory})
        blocks["edge-host"] = edge.host(Droplet.load("green"))
        blocks["prometheus"] = Prometheus(url=provider.url)
        blocks["langfuse"] = Langfuse(url=provider.url, public_key="pk-lf-test", secret_key=f"sk-lf-{uuid4().hex}")
        blocks["prometheus-down"] = Prometheus(url=f"http://127.0.0.1:{closed_port()}")
        blocks["langfuse-down"] = blocks["langfuse"].model_copy(update={"url": blocks["prometheus-down"].url})
        blocks["registry"] = registry.named()
        closing.enter_context(saved(**{f"{stack}-{name}": block for name, block in blocks.items()}))
        switch = CaddySwitch(url=edge.url, host=Droplet.load(f"{stack}-edge-host"))
        closing.enter_context(saved(**{f"{stack}-edge": switch}))
        environment = {**environment, "SLIPWAY_ACTIVE_URL": f"{edge.url}/.slipway/active"}
        changes = (
            ('expose: ["8000"]\n    healthcheck: *health\n    x-slipway:\n', _published(port)),
            (", traced: false", ""),
        )
        trio = Trio(stack, f"{stack}-green", droplets["green"], registry.host, tmp, environment, changes=changes)
        StackEnvironment(variables={"TOKEN": trio.token}, files={}).save(stack, overwrite=True)
        sides = {c: replace(trio, block=f"{stack}-{c}", droplet=droplets[c]) for c in COLOURS}
        pair = Pair(stack, sides, home, edge, provider, tmp, environment)
        closing.callback(pair.clear, False)
        for tag, habit in ((FIRST, "well"), (SECOND, "well"), (LYING, LIES)):
            trio.publish(tag, habit)
        pair.done(pair.words("deploy-home", "--tag", FIRST, "--approval", "never"))
        yield pair


def _published(port: int) -> str:
    return f'expose: ["8000"]\n    ports: ["{port}:8000"]\n    healthcheck: *health\n    x-slipway:\n'


def _forget_directory(droplet: OnDroplet) -> None:
    droplet.sh(f"rm -rf {droplet.directory}")
