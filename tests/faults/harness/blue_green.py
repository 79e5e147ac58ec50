"""Two colours with a data home and an edge of their own, for cases in which traffic moves."""

import json
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fault import Fault

from flows.core.steps import Step
from tests.faults.harness.doubles.disposable_droplet import DisposableDroplet
from tests.faults.harness.doubles.disposable_edge import COLOURS, DisposableEdge
from tests.faults.harness.doubles.droplet_edge import DropletEdge
from tests.faults.harness.doubles.fake_providers import FakeProviders
from tests.faults.harness.fault_report import Case
from tests.faults.harness.invariants import eventually, left_behind, newest, volumes, when
from tests.faults.harness.slipway_process import SlipwayProcess
from tests.stacks.three_services import ThreeServiceStack
from tests.support import PATIENCE
from tests.support.lab.cli import CliResult
from tests.support.lab.droplet_view import DropletView

# The first look of a promotion's watch; both colours were looked at before.
FIRST_READING = {"when": "before", "step": Step.LOOK.value, "nth": 3}
FIRST, SECOND, LYING = "v1", "v2", "lying"


def other(colour: str) -> str:
    """The other colour."""
    return "blue" if colour == "green" else "green"


@dataclass(frozen=True)
class StartState:
    """How a case began: the colours, the release on each, the edge's file, and at home a row that nobody may lose, and
    the volumes."""

    active: str
    idle: str
    tags: dict[str, str]
    mark: str
    row: str
    volumes: str


@dataclass
class BlueGreenScenario:
    """One stack on both colours, seen from inside; a case has it for itself.

    Args:
        stack: its name, which stands in all of its other names.
        sides: colour → the stack there, without its store.
        home: its store, on the lab's data home.
        second: a second droplet that green may have; nothing is there unless a case puts it there.
        environment: the settings of its commands.
        shared: the droplet that has both colours, the data home and the edge; without it each has its own.
        case: the row of the table that the case fills in.
    """

    stack: str
    sides: dict[str, ThreeServiceStack]
    home: DropletView
    second: ThreeServiceStack
    edge: DisposableEdge | DropletEdge
    providers: FakeProviders
    place: Path
    environment: dict[str, str]
    shared: DisposableDroplet | None = None
    case: Case = field(default_factory=Case)
    _processes: list[SlipwayProcess] = field(default_factory=list)
    _numbers: Any = field(default_factory=count)

    def says(self, fault: str, step: object, expected: str) -> None:
        """Fill in this case's row of the table."""
        told = f"{fault}; one droplet" if self.shared else fault
        self.case.fault, self.case.step, self.case.expected = told, str(step), expected

    def only_apart(self, reason: str) -> None:
        """Skip a case that means nothing on one droplet."""
        if self.shared:
            pytest.skip(f"one droplet: {reason}")

    # What is run.

    def start_process(self, words: list[str], more: dict[str, str] | None = None, **fault: Any) -> SlipwayProcess:
        """Start a command that carries a fault: `promote`, `--tag`, … with further settings; see `DropletScenario`."""
        place = self.place / f"run-{next(self._numbers)}"
        place.mkdir()
        begun = SlipwayProcess(words, {**self.environment, **(more or {})}, Fault(str(place), **fault))
        self._processes.append(begun)
        return begun

    def promote(self, *words: str) -> list[str]:
        return self.words("promote", *words)

    def words(self, verb: str, *words: str) -> list[str]:
        return [verb, "--stack", self.stack, *words]

    def deploy(self, tag: str, colour: str) -> list[str]:
        return self.words("deploy", "--tag", tag, "--droplet", self.block(colour))

    def block(self, where: str) -> str:
        """The name of a block of this pair: green, blue, data, away, edge, prometheus …; of a place on one droplet."""
        parts = {**{colour: colour for colour in COLOURS}, "data": "home"} if self.shared else {}
        return f"{self.stack}-prod/{parts[where]}" if where in parts else f"{self.stack}-{where}"

    def say(self, words: list[str], more: dict[str, str] | None = None, within: float = PATIENCE) -> CliResult:
        """Run a command to its end, without a fault."""
        return self.start_process(words, more).wait(within)

    def done(self, words: list[str], more: dict[str, str] | None = None) -> CliResult:
        """Run a command, which must succeed."""
        said = self.say(words, more)
        assert said.code == 0, said.all
        return said

    def state(self, process: SlipwayProcess) -> str:
        """What Prefect says of a process's run."""
        return str(process.state()["type"])

    def asked(self, process: SlipwayProcess, times: int = 1) -> None:
        """Wait until it has asked a person for the so manieth time, and waits."""
        when(lambda: process.steps() and self._paused(process) == times - 1, 60)

    def _paused(self, process: SlipwayProcess) -> int | None:
        """Which of its questions a run waits with, from 0; None when it does not wait."""
        state = process.state()
        waits = state["type"] == "PAUSED"
        return int((state["state_details"]["pause_key"] or "0").rsplit("-", 1)[-1]) if waits else None

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
        self.home.inside("store", "/srv/part", "ask", "POST", "/rows", row)
        return StartState(
            active, idle, {c: found[c]["tag"] for c in COLOURS}, self.edge.mark(), row, volumes(self.home)
        )

    def web(self, colour: str) -> str:
        """The id of its web's container."""
        return str(self.sides[colour].droplet.containers()["web"]["Id"])

    def make_unhealthy(self, colour: str, how: str = "says so") -> None:
        """From now on its web says that it is not well, `hangs`, or `is killed`."""
        web = self.web(colour)
        told = {
            "says so": f"docker exec {web} touch /srv/unhealthy",
            "hangs": f"docker pause {web}",
            "is killed": f"docker update --restart no {web} >/dev/null; docker kill {web}",
        }
        self.sides[colour].droplet.sh(told[how])

    def heal(self, colour: str) -> None:
        """Whatever was done to its web, it is well again, and its engine knows."""
        web = self.web(colour)
        self.sides[colour].droplet.sh(
            f"docker unpause {web} 2>/dev/null || true\n"
            f"docker update --restart unless-stopped {web} >/dev/null; docker start {web}\n"
            f"docker exec {web} rm -f /srv/unhealthy\n"
            f"health() {{ docker inspect --format '{{{{.State.Health.Status}}}}' {web}; }}\n"
            # Its engine looks at it again only after a while, but soon after a start.
            f"[ $(health) != unhealthy ] || docker restart --time 1 {web}\n"
            "for _ in $(seq 300); do [ $(health) != healthy ] || exit 0; sleep 0.1; done; exit 1"
        )

    def wipe(self, colour: str) -> None:
        """Take the stack off a colour."""
        self.sides[colour].droplet.remove("nothing")

    def clear(self, failed: bool) -> None:
        """Make it ready for the next case. After a failed case, both colours are made anew."""
        for begun in self._processes:
            begun.end()
        self._processes.clear()
        self.providers.mode = "well"
        self.edge.well()
        for colour in COLOURS:
            if failed:
                self.wipe(colour)
            elif "web" in self.sides[colour].droplet.containers():
                self.heal(colour)
        self.second.droplet.remove("nothing")
        ids = self.home.sh(f"docker ps -aq --filter label=com.docker.compose.project={self.home.stack}").split()
        if ids:
            self.home.sh(f"docker start {' '.join(ids)} >/dev/null")

    def _make_good(self, colour: str, tag: str) -> None:
        stack = self.sides[colour]
        try:
            if newest(stack)["outcome"] == "good" and stack.version():
                return
        except (AssertionError, KeyError, ValueError):
            pass
        self.done(self.deploy(tag, colour))
        self.done(self.words("validate", "--droplet", self.block(colour)))

    # What must hold in the end.

    def untouched(self, start: StartState) -> None:
        """Nobody so much as wrote to the switch, and the end is as it should be."""
        assert self.edge.mark() == start.mark
        self.ended_well(start, start.active)

    def ended_well(self, start: StartState, colour: str, tag: str | None = None) -> None:
        """The edge points at exactly this colour, whose release answers through it; no lock is left; the row at home
        is there.

        Args:
            tag: of the release that answers; default: the one that stood there in the beginning.
        """
        self.tidy(start)
        assert self.edge.files() == [colour]
        assert self.edge.through() == (200, colour, tag or start.tags[colour])

    def tidy(self, start: StartState) -> None:
        """What must hold wherever traffic is."""
        for droplet in (*(side.droplet for side in self.sides.values()), self.home):
            eventually(lambda droplet=droplet: droplet.sh(left_behind(droplet)).strip(), "", 5.0)  # type: ignore[misc]
        assert volumes(self.home) == start.volumes
        assert start.row in self.home.inside("store", "/srv/part", "ask", "GET", "/rows").split()

    def looked_at(self) -> None:
        """`slipway status` works, and finds nobody at it."""
        status = json.loads(self.done(self.words("status", "--json")).out)
        assert not any(said.get("locked_by") or said.get("trouble") for said in status.values()), status

    def goes_on(self, start: StartState, tag: str = SECOND) -> None:
        """A promotion that comes next works: the same command again."""
        self.looked_at()
        (before,) = self.edge.files()
        self.done(self.promote("--tag", tag))
        self.ended_well(start, other(before), tag)


def refused(said: CliResult, error: str, *words: str, code: int = 2) -> None:
    """It ended so, by this error, in these words."""
    assert (said.code, said.errors[0].partition(":")[0]) == (code, error), said.all
    assert [word for word in words if word not in said.err] == [], said.err
