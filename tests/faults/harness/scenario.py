"""Where a case plays: a trio on a droplet, a wire to that droplet, a registry that can misbehave, and victims."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from fault import Fault

from tests.faults.harness.doubles.disposable_droplet import DisposableDroplet, open_disposable_droplet
from tests.faults.harness.doubles.faulty_registry import FaultyRegistry
from tests.faults.harness.doubles.reverse_tunnel import ReverseTunnel
from tests.faults.harness.doubles.tcp_proxy import TcpProxy
from tests.faults.harness.fault_report import Case
from tests.faults.harness.invariants import BeforeFault, assert_nothing_lost, known, look, newest, records
from tests.faults.harness.slipway_process import SlipwayProcess
from tests.stacks.three_services import ThreeServiceStack, on_spare, open_three_service_stack
from tests.support.lab.cli import CliResult
from tests.support.lab.lab import STATE
from tests.support.lab.registry_namespace import RegistryNamespace
from tests.support.lab.saved_blocks import saved

FIRST, SECOND = "v1", "v2"
# Bytes of a release that must be pulled: at `SLOWLY` bytes a second it takes a few seconds.
BALLAST, SLOWLY = 300_000, 100_000.0


@dataclass
class DropletScenario:
    """One stage; a case has it for itself. `case` is the row of the table that the case fills in."""

    trio: ThreeServiceStack
    wire: TcpProxy
    registry: FaultyRegistry
    place: Path
    case: Case = field(default_factory=Case)
    _victims: list[SlipwayProcess] = field(default_factory=list)
    _numbers: Any = field(default_factory=count)

    def says(self, fault: str, step: object, expected: str) -> None:
        """Fill in this case's row of the table."""
        self.case.fault, self.case.step, self.case.expected = fault, str(step), expected

    def victim(self, words: list[str], environment: dict[str, str] | None = None, **fault: Any) -> SlipwayProcess:
        """Start a command that carries a fault.

        Args:
            words: such as `trio.deploy("v2")`.
            environment: settings and other environment variables.
            fault: the fields of a Fault: `when="before", step="start services", act="SIGKILL"`.
        """
        own = {**self.trio.environment, **(environment or {})}
        begun = SlipwayProcess(words, own, Fault(str(self.new_place()), **fault))
        self._victims.append(begun)
        return begun

    def new_place(self) -> Path:
        """An empty directory."""
        place = self.place / f"run-{next(self._numbers)}"
        place.mkdir()
        return place

    def say(self, words: list[str], environment: dict[str, str] | None = None) -> CliResult:
        """Run a command to its end, without a fault."""
        return self.victim(words, environment).wait()

    def done(self, words: list[str], environment: dict[str, str] | None = None) -> CliResult:
        """Run a command, which must succeed."""
        said = self.say(words, environment)
        assert said.code == 0, said.all
        return said

    def settle(self, *, way_back: bool = False) -> tuple[str, BeforeFault]:
        """Have a good release run, with a row that nobody may lose; its tag, and what is known before the fault.

        Args:
            way_back: the other release is to be good, too.
        """
        runs, judged = self.runs(), {r["tag"]: r["outcome"] for r in records(self.trio) if r["outcome"] != "failed"}
        if runs is None or newest(self.trio)["outcome"] != "good":
            for runs in (SECOND, FIRST):
                self.make_good(runs)
        elif runs not in (FIRST, SECOND) or (way_back and judged.get(other(runs)) != "good"):
            self.make_good(runs := other(runs))
        return runs, known(self.trio)

    def make_good(self, tag: str) -> None:
        """Deploy and validate a release."""
        self.done(self.trio.deploy(tag))
        self.done(self.trio.words("validate"))

    def runs(self) -> str | None:
        """The tag of the current release."""
        name = look(self.trio).current.removeprefix("releases/")
        return name.rsplit(".", 1)[0] if name else None

    def ended_well(self, before: BeforeFault, runs: str, settling: float = 5.0) -> None:
        """The end state of every case: nothing is lost, this release runs, and it is on record as good.

        Args:
            settling: seconds in which what still goes on may end.
        """
        assert_nothing_lost(self.trio, before, runs, settling)
        record = newest(self.trio)
        assert (record["tag"], record["outcome"]) == (runs, "good")

    def state(self, victim: SlipwayProcess) -> str:
        """What Prefect says became of a victim's run."""
        api = os.environ["PREFECT_API_URL"].rstrip("/")
        answer = httpx.get(f"{api}/flow_runs/{victim.run()}", timeout=30).raise_for_status().json()
        return str(answer["state"]["type"])

    def forget_images(self) -> None:
        """Remove from the droplet the images of this trio that no container uses, as a careless hand would."""
        self.trio.droplet.sh(
            # One that another case removes meanwhile is no fault of this one.
            "used=$(docker ps -aq | xargs -r docker inspect --format '{{.Image}}' 2>/dev/null || true)\n"
            f"for id in $(docker images -q --no-trunc '*/*/{self.trio.stack}' | sort -u); do\n"
            '  echo "$used" | grep -qF "$id" || docker rmi -f "$id" >/dev/null; done\n'
            f"[ $(docker images -q --no-trunc '*/*/{self.trio.stack}' | sort -u | wc -l) = 1 ]"
        )

    @contextmanager
    def on_spare(self, disk: str = "") -> Iterator[tuple["DropletScenario", DisposableDroplet]]:
        """The same stage on a droplet that it has for itself; see `open_spare`."""
        from blocks import Droplet  # noqa: PLC0415 — after the environment is set

        with (
            TemporaryDirectory(prefix="slipway-") as sockets,
            open_disposable_droplet(f"spare-{self.trio.stack}", STATE, Path(sockets), disk) as spare,
            on_spare(self.trio, spare) as trio,
        ):
            reverse = ReverseTunnel(Droplet.load(trio.block), self.registry.port)
            reverse.open()
            yield replace(self, trio=trio), spare
            reverse.close()

    def clear(self, failed: bool) -> None:
        """Make it ready for the next case: no victim lives, no fault is left. After a failed case, all is made anew."""
        for begun in self._victims:
            begun.end()
        self._victims.clear()
        self.wire.heal()
        self.registry.well()
        if failed:
            droplet = self.trio.droplet
            droplet.remove("nothing")
            droplet.sh(f"rm -rf {droplet.directory}")


def other(tag: str) -> str:
    """The release that is not this one."""
    return SECOND if tag == FIRST else FIRST


@contextmanager
def open_droplet_scenario(
    number: int, colour: str, registry: RegistryNamespace, tmp: Path
) -> Iterator[DropletScenario]:
    """A stage with two releases published; afterwards nothing of it is left anywhere."""
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    droplet = Droplet.load(colour)
    with ExitStack() as closing:
        faulty = FaultyRegistry(registry.host)
        closing.callback(faulty.down)
        faulty.up()
        wire = closing.enter_context(TcpProxy(droplet.port))
        own = registry.named(registry_url=faulty.host)
        trio = closing.enter_context(open_three_service_stack(tmp, own, f"trio-{number}", colour))
        faulty.reached_from(ReverseTunnel(droplet, faulty.port))
        wired = Droplet.load(trio.block).model_copy(update={"port": wire.port})
        closing.enter_context(saved(**{trio.block: wired}))
        stage = DropletScenario(trio, wire, faulty, tmp)
        closing.callback(stage.clear, False)
        for tag in (FIRST, SECOND):
            trio.publish(tag, ballast=BALLAST)
        yield stage
