"""Two colours with a data home and an edge of their own, for cases in which traffic moves."""

import json
import os
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from fault import Fault

from tests.faults.harness.doubles.disposable_edge import COLOURS, DisposableEdge
from tests.faults.harness.doubles.fake_providers import FakeProviders
from tests.faults.harness.fault_report import Case
from tests.faults.harness.invariants import eventually, newest, when
from tests.faults.harness.slipway_process import SlipwayProcess
from tests.stacks.three_services import ThreeServiceStack
from tests.support.lab.cli import CliResult
from tests.support.lab.droplet_view import DropletView

FIRST, SECOND, LYING = "v1", "v2", "lying"


def other(colour: str) -> str:
    """The other colour."""
    return "blue" if colour == "green" else "green"


@dataclass(frozen=True)
class StartState:
    """How a case began: the colours, the release on each, the edge's file, and a row at home that nobody may lose."""

    active: str
    idle: str
    tags: dict[str, str]
    mark: str
    row: str


@dataclass
class BlueGreenScenario:
    """One stack on both colours, seen from inside; a case has it for itself.

    Args:
        stack: its name, which stands in all of its other names.
        sides: colour → the stack there, as a trio without its keeper.
        home: its keeper, on the lab's data home.
        second: a second droplet that green may have; nothing is there unless a case puts it there.
        environment: the settings of its commands.
        case: the row of the table that the case fills in.
    """

    stack: str
    sides: dict[str, ThreeServiceStack]
    home: DropletView
    second: ThreeServiceStack
    edge: DisposableEdge
    provider: FakeProviders
    place: Path
    environment: dict[str, str]
    case: Case = field(default_factory=Case)
    _victims: list[SlipwayProcess] = field(default_factory=list)
    _numbers: Any = field(default_factory=count)

    def says(self, fault: str, step: object, expected: str) -> None:
        """Fill in this case's row of the table."""
        self.case.fault, self.case.step, self.case.expected = fault, str(step), expected

    # What is run.

    def victim(self, words: list[str], more: dict[str, str] | None = None, **fault: Any) -> SlipwayProcess:
        """Start a command that carries a fault: `promote`, `--tag`, … with further settings; see `Stage.victim`."""
        place = self.place / f"run-{next(self._numbers)}"
        place.mkdir()
        begun = SlipwayProcess(words, {**self.environment, **(more or {})}, Fault(str(place), **fault))
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

    def say(self, words: list[str], more: dict[str, str] | None = None, within: float = 60.0) -> CliResult:
        """Run a command to its end, without a fault."""
        return self.victim(words, more).wait(within)

    def done(self, words: list[str], more: dict[str, str] | None = None) -> CliResult:
        """Run a command, which must succeed."""
        said = self.say(words, more)
        assert said.code == 0, said.all
        return said

    def state(self, victim: SlipwayProcess) -> str:
        """What Prefect says of a victim's run."""
        api = os.environ["PREFECT_API_URL"].rstrip("/")
        answer = httpx.get(f"{api}/flow_runs/{victim.run()}", timeout=30).raise_for_status().json()
        return str(answer["state"]["type"])

    def asked(self, victim: SlipwayProcess, times: int = 1) -> None:
        """Wait until it has asked a person for the so manieth time, and waits."""
        when(lambda: victim.steps() and self._paused(victim) == times - 1, 60)

    def _paused(self, victim: SlipwayProcess) -> int | None:
        """Which of its questions a run waits with, from 0; None when it does not wait."""
        api = os.environ["PREFECT_API_URL"].rstrip("/")
        run = httpx.get(f"{api}/flow_runs/{victim.run()}", timeout=30).raise_for_status().json()
        waits = run["state"]["type"] == "PAUSED"
        return int((run["state"]["state_details"]["pause_key"] or "0").rsplit("-", 1)[-1]) if waits else None

    # What is there.

    def settle(self) -> StartState:
        """Good releases on both colours, traffic on the one that was put there earlier, and a row at home."""
        self.edge.well()
        for colour, tag in zip(COLOURS, (FIRST, SECOND), strict=True):
            self._make_good(colour, tag)
        found = {colour: newest(self.sides[colour]) for colour in COLOURS}
        active, idle = sorted(COLOURS, key=lambda colour: found[colour]["began"])
        self.edge.point(active)
        row = f"row-{uuid4().hex[:8]}"
        self.home.inside("keeper", "/srv/part", "ask", "POST", "/rows", row)
        return StartState(active, idle, {c: found[c]["tag"] for c in COLOURS}, self.edge.mark(), row)

    def front(self, colour: str) -> str:
        """The id of its front's container."""
        return str(self.sides[colour].droplet.containers()["front"]["Id"])

    def sicken(self, colour: str, how: str = "says so") -> None:
        """From now on its front says that it is not well, `hangs`, or `is killed`."""
        front = self.front(colour)
        told = {
            "says so": f"docker exec {front} touch /srv/sick",
            "hangs": f"docker pause {front}",
            "is killed": f"docker update --restart no {front} >/dev/null; docker kill {front}",
        }
        self.sides[colour].droplet.sh(told[how])

    def heal(self, colour: str) -> None:
        """Whatever was done to its front, it is well again."""
        front = self.front(colour)
        self.sides[colour].droplet.sh(
            f"docker unpause {front} 2>/dev/null || true\n"
            f"docker update --restart unless-stopped {front} >/dev/null; docker start {front}\n"
            f"docker exec {front} rm -f /srv/sick\n"
            f"for _ in $(seq 100); do docker exec {front} /srv/part ask >/dev/null 2>&1 && exit 0; sleep 0.1; done\n"
            "exit 1"
        )

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
            elif "front" in self.sides[colour].droplet.containers():
                self.heal(colour)
        self.second.droplet.remove("nothing")
        self.second.droplet.sh(f"rm -rf {self.second.droplet.directory}")
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

    def untouched(self, scene: StartState) -> None:
        """Nobody so much as wrote to the switch, and the end is as it should be."""
        assert self.edge.mark() == scene.mark
        self.ended_well(scene, scene.active)

    def ended_well(self, scene: StartState, colour: str, tag: str | None = None) -> None:
        """The edge points at exactly this colour, whose release answers through it; no lock is left; the row at home
        is there.

        Args:
            tag: of the release that answers; default: the one that stood there in the beginning.
        """
        self.tidy(scene)
        assert self.edge.files() == [colour]
        assert self.edge.through() == (200, colour, tag or scene.tags[colour])

    def tidy(self, scene: StartState) -> None:
        """What must hold wherever traffic is."""
        for droplet in (*(side.droplet for side in self.sides.values()), self.home):
            eventually(lambda droplet=droplet: droplet.sh(_leftovers(droplet)).strip(), "", 5.0)  # type: ignore[misc]
        assert scene.row in self.home.inside("keeper", "/srv/part", "ask", "GET", "/rows").split()

    def looked_at(self) -> None:
        """`slipway status` works, and finds nobody at it."""
        status = json.loads(self.done(self.words("status", "--json")).out)
        assert not any(said.get("locked_by") or said.get("trouble") for said in status.values()), status

    def goes_on(self, scene: StartState, tag: str = SECOND) -> None:
        """A promotion that comes next works: the same command again."""
        self.looked_at()
        (before,) = self.edge.files()
        self.done(self.promote("--tag", tag))
        self.ended_well(scene, other(before), tag)


def _leftovers(droplet: DropletView) -> str:
    """Prints the lock when it is held or names a holder, releases on their way, and half-written files."""
    directory, home = droplet.directory, droplet.home
    return f"""set +e
        [ ! -e {directory}/lock ] || flock -n {directory}/lock true || echo "the lock is held"
        cat {directory}/lock.holder {directory}/lock.busy 2>/dev/null
        ls -A {home}/incoming 2>/dev/null
        find {home} {directory}/lock* -path '*/releases/*' -prune -o -name '*.new' -print 2>/dev/null
        true"""


def refused(said: CliResult, error: str, *words: str, code: int = 2) -> None:
    """It ended so, by this error, in these words."""
    assert said.code == code, said.all
    assert said.errors[0].startswith(f"{error}: "), said.err
    for word in words:
        assert word in said.err
