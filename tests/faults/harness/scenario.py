"""One case on one droplet: a stack, a proxy before the droplet, a registry that can misbehave, and processes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fault import Fault

from tests.faults.harness.doubles.disposable_droplet import DisposableDroplet, open_disposable_droplet
from tests.faults.harness.doubles.faulty_registry import FaultyRegistry
from tests.faults.harness.doubles.reverse_tunnel import ReverseTunnel
from tests.faults.harness.doubles.tcp_proxy import TcpProxy
from tests.faults.harness.fault_report import Case
from tests.faults.harness.invariants import BeforeFault, assert_nothing_lost, before_fault, look, newest, records
from tests.faults.harness.slipway_process import SlipwayProcess
from tests.stacks.three_services import ThreeServiceStack, moved_to, open_three_service_stack
from tests.support.lab.cli import CliResult
from tests.support.lab.lab import STATE
from tests.support.lab.registry_namespace import RegistryNamespace
from tests.support.lab.saved_blocks import saved

FIRST, SECOND = "v1", "v2"
# Bytes of a release that must be pulled: at `SLOWLY` bytes a second it takes a few seconds.
BALLAST, SLOWLY = 300_000, 100_000.0


@dataclass
class DropletScenario:
    """What a case has for itself. `case` is the row of the table that it fills in."""

    stack: ThreeServiceStack
    proxy: TcpProxy
    registry: FaultyRegistry
    place: Path
    case: Case = field(default_factory=Case)
    _processes: list[SlipwayProcess] = field(default_factory=list)
    _numbers: Any = field(default_factory=count)

    def says(self, fault: str, step: object, expected: str) -> None:
        """Fill in this case's row of the table."""
        self.case.fault, self.case.step, self.case.expected = fault, str(step), expected

    def start_process(
        self, words: list[str], environment: dict[str, str] | None = None, **fault: Any
    ) -> SlipwayProcess:
        """Start a command that carries a fault.

        Args:
            words: such as `stack.deploy("v2")`.
            environment: settings and other environment variables.
            fault: the fields of a Fault: `when="before", step="start services", act="SIGKILL"`.
        """
        own = {**self.stack.settings, **(environment or {})}
        begun = SlipwayProcess(words, own, Fault(str(self.new_place()), **fault))
        self._processes.append(begun)
        return begun

    def new_place(self) -> Path:
        """An empty directory."""
        place = self.place / f"run-{next(self._numbers)}"
        place.mkdir()
        return place

    def say(self, words: list[str], environment: dict[str, str] | None = None) -> CliResult:
        """Run a command to its end, without a fault."""
        return self.start_process(words, environment).wait()

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
        runs, judged = self.runs(), {r["tag"]: r["outcome"] for r in records(self.stack) if r["outcome"] != "failed"}
        on_record = newest(self.stack) if runs else {}
        if runs is None or (on_record["tag"], on_record["outcome"]) != (runs, "good"):
            for runs in (SECOND, FIRST):
                self.make_good(runs)
        elif runs not in (FIRST, SECOND) or (way_back and judged.get(other(runs)) != "good"):
            self.make_good(runs := other(runs))
        return runs, before_fault(self.stack)

    def make_good(self, tag: str) -> None:
        """Deploy and validate a release."""
        self.done(self.stack.deploy(tag))
        self.done(self.stack.words("validate"))

    def runs(self) -> str | None:
        """The tag of the current release."""
        name = look(self.stack).current.removeprefix("releases/")
        return name.rsplit(".", 1)[0] if name else None

    def ended_well(self, before: BeforeFault, runs: str, settling: float = 5.0) -> None:
        """The end state of every case: nothing is lost, this release runs, and it is on record as good.

        Args:
            settling: seconds in which what still goes on may end.
        """
        assert_nothing_lost(self.stack, before, runs, settling)
        record = newest(self.stack)
        assert (record["tag"], record["outcome"]) == (runs, "good")

    def state(self, process: SlipwayProcess) -> str:
        """What Prefect says became of a process's run."""
        return str(process.state()["type"])

    def forget_images(self) -> None:
        """Remove from the droplet the images of this stack that no container uses, as somebody might by hand."""
        self.stack.droplet.sh(
            # One that another case removes meanwhile is no fault of this one.
            "used=$(docker ps -aq | xargs -r docker inspect --format '{{.Image}}' 2>/dev/null || true)\n"
            f"for id in $(docker images -q --no-trunc '*/*/{self.stack.name}' | sort -u); do\n"
            '  echo "$used" | grep -qF "$id" || docker rmi -f "$id" >/dev/null; done\n'
            f"[ $(docker images -q --no-trunc '*/*/{self.stack.name}' | sort -u | wc -l) = 1 ]"
        )

    @contextmanager
    def on_disposable(self, disk: str = "") -> Iterator[tuple["DropletScenario", DisposableDroplet]]:
        """The same on a droplet that it has for itself; see `open_disposable_droplet`."""
        from blocks import Droplet  # noqa: PLC0415 — after the environment is set

        with (
            TemporaryDirectory(prefix="slipway-") as sockets,
            open_disposable_droplet(f"disposable-{self.stack.name}", STATE, Path(sockets), disk) as disposable,
            moved_to(self.stack, disposable) as stack,
        ):
            tunnel = ReverseTunnel(Droplet.load(stack.block), self.registry.port)
            tunnel.open()
            yield replace(self, stack=stack), disposable
            tunnel.close()

    def clear(self, failed: bool) -> None:
        """Make it ready for the next case: no process lives, no fault is left. After a failed one, all is made anew."""
        for begun in self._processes:
            begun.end()
        self._processes.clear()
        self.proxy.heal()
        self.registry.well()
        if failed:
            self.stack.droplet.remove("nothing")


def other(tag: str) -> str:
    """The release that is not this one."""
    return SECOND if tag == FIRST else FIRST


@contextmanager
def open_droplet_scenario(
    number: int, colour: str, registry: RegistryNamespace, tmp: Path
) -> Iterator[DropletScenario]:
    """A scenario with two releases published; afterwards nothing of it is left anywhere."""
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    droplet = Droplet.load(colour)
    with ExitStack() as closing:
        faulty = FaultyRegistry(registry.host)
        closing.callback(faulty.down)
        faulty.up()
        proxy = closing.enter_context(TcpProxy(droplet.port))
        own = RegistryNamespace(registry.named(registry_url=faulty.host, ca_certificate=""), registry.namespace)
        stack = closing.enter_context(open_three_service_stack(tmp, own, f"three-services-{number}", colour))
        faulty.reached_from(ReverseTunnel(droplet, faulty.port))
        wired = Droplet.load(stack.block).model_copy(update={"port": proxy.port})
        closing.enter_context(saved(**{stack.block: wired}))
        scenario = DropletScenario(stack, proxy, faulty, tmp)
        closing.callback(scenario.clear, False)
        for tag in (FIRST, SECOND):
            stack.publish(tag, ballast=BALLAST)
        yield scenario
