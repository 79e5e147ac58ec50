"""Where a case plays: a trio on a droplet, a wire to that droplet, a registry that can misbehave, and victims."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from fault import Fault
from faulty_registry import FaultyRegistry
from releasing import Registry, Said, saved
from results import Case
from reverse import Reverse
from standing import Known, assert_nothing_lost, known, look, newest
from trio import Trio, open_trio
from victim import Victim
from wire import Wire

FIRST, SECOND = "v1", "v2"


@dataclass
class Stage:
    """One stage; a case has it for itself. `case` is the row of the table that the case fills in."""

    trio: Trio
    wire: Wire
    registry: FaultyRegistry
    place: Path
    case: Case = field(default_factory=Case)
    _victims: list[Victim] = field(default_factory=list)
    _numbers: Any = field(default_factory=count)

    def victim(self, words: list[str], environment: dict[str, str] | None = None, **fault: Any) -> Victim:
        """Start a command that carries a fault.

        Args:
            words: such as `trio.deploy("v2")`.
            environment: settings and other environment variables.
            fault: the fields of a Fault: `when="before", step="start services", act="SIGKILL"`.
        """
        place = self.place / f"victim-{next(self._numbers)}"
        place.mkdir()
        begun = Victim(words, {**self.trio.environment, **(environment or {})}, Fault(str(place), **fault))
        self._victims.append(begun)
        return begun

    def say(self, words: list[str], environment: dict[str, str] | None = None) -> Said:
        """Run a command to its end, without a fault."""
        return self.victim(words, environment).wait()

    def done(self, words: list[str], environment: dict[str, str] | None = None) -> Said:
        """Run a command, which must succeed."""
        said = self.say(words, environment)
        assert said.code == 0, said.all
        return said

    def settle(self) -> tuple[str, Known]:
        """Have a good release run, with a row that nobody may lose; its tag, and what is known before the fault."""
        tag = self.runs()
        if tag is None or newest(self.trio)["outcome"] != "good":
            for tag in (SECOND, FIRST):
                self.done(self.trio.deploy(tag))
                self.done(self.trio.words("validate"))
        assert tag is not None
        return tag, known(self.trio)

    def runs(self) -> str | None:
        """The tag of the current release."""
        name = look(self.trio).current.removeprefix("releases/")
        return name.rsplit(".", 1)[0] if name else None

    def ended_well(self, before: Known, runs: str) -> None:
        """The end state of every case: nothing is lost, this release runs, and it is on record as good."""
        assert_nothing_lost(self.trio, before, runs)
        record = newest(self.trio)
        assert (record["tag"], record["outcome"]) == (runs, "good")

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
def open_stage(number: int, colour: str, registry: Registry, tmp: Path) -> Iterator[Stage]:
    """A stage with two releases published; afterwards nothing of it is left anywhere."""
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    droplet = Droplet.load(colour)
    with ExitStack() as closing:
        faulty = FaultyRegistry(registry.host)
        closing.callback(faulty.down)
        faulty.up()
        wire = closing.enter_context(Wire(droplet.port))
        own = registry.named(registry_url=faulty.host)
        trio = closing.enter_context(open_trio(tmp, own, f"trio-{number}", colour))
        faulty.reached_from(Reverse(droplet, faulty.port))
        wired = Droplet.load(trio.block).model_copy(update={"port": wire.port})
        closing.enter_context(saved(**{trio.block: wired}))
        stage = Stage(trio, wire, faulty, tmp)
        closing.callback(stage.clear, False)
        for tag in (FIRST, SECOND):
            trio.publish(tag)
        yield stage
