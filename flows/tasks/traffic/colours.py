"""The two colours as they stand: their droplets, opened and locked together."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from prefect import task
from prefect.logging import get_logger

from blocks import Droplet
from blocks.errors import OutsideError
from blocks.ssh.session import Session
from flows.core.deploy.deployed_state import DeployedState, deployed_state_script, read_deployed_state
from flows.core.droplet.directories import StackDirectory
from flows.core.errors import DropletBusy, SlipwayError
from flows.core.steps import Step
from flows.core.traffic.colours import COLOURS, check_colours
from flows.settings import Settings
from flows.tasks.droplet.connection import QUICK, connected
from flows.tasks.droplet.lock import LockedSession, locked
from flows.tasks.records.history import register_environment_secrets
from flows.tasks.runs.blocks import load_droplet
from flows.tasks.runs.log_masking import register_stack_secrets
from flows.tasks.runs.retries import RETRIED


@dataclass(frozen=True)
class ColourDroplets:
    """One colour: its droplets, and what of the stack they carry."""

    colour: str
    droplets: tuple[Droplet, ...]
    stack: str

    def home(self, droplet: Droplet) -> StackDirectory:
        """Where the stack stands on one of them."""
        return StackDirectory(droplet.directory, self.stack)

    def __str__(self) -> str:
        return f"{self.colour} ({', '.join(d.name for d in self.droplets)})"


def load_colours(stack: str, settings: Settings) -> dict[str, ColourDroplets]:
    """Both colours.

    Raises:
        BlockMissing, BadColours
    """
    sides = {
        colour: ColourDroplets(colour, tuple(load_droplet(name) for name in settings.colours.droplets(colour)), stack)
        for colour in COLOURS
    }
    blocks = [droplet for side in sides.values() for droplet in side.droplets]
    check_colours(settings.colours, {d.name: f"{d.user}@{d.host}:{d.port}" for d in blocks})
    return sides


@contextmanager
def open_colour(side: ColourDroplets) -> Iterator[list[Session]]:
    """Sessions to every droplet of a colour. Raises what `connected` raises."""
    with ExitStack() as stack:
        yield [stack.enter_context(connected(droplet)) for droplet in side.droplets]


@contextmanager
def lock_colours(
    sides: Sequence[ColourDroplets], lasting: ColourDroplets | None, purpose: str, wait: float
) -> Iterator[None]:
    """Hold the locks of all droplets of these colours, in the order of their names, so that two never wait crosswise.

    Args:
        lasting: a colour whose droplets may be away: what traffic leaves may be what is broken. A lock that another
            run holds there counts all the same.

    Raises:
        DropletBusy: names who holds it.
    """
    every = [(droplet, False) for side in sides for droplet in side.droplets]
    every += [(droplet, True) for droplet in (lasting.droplets if lasting else ())]
    with ExitStack() as stack:
        for droplet, may_be_away in sorted(every, key=lambda pair: pair[0].name):
            try:
                session = stack.enter_context(connected(droplet))
                stack.enter_context(locked(session, droplet.directory, purpose, wait))
            except DropletBusy:
                raise
            except (OutsideError, SlipwayError) as error:
                if not may_be_away:
                    raise
                get_logger("slipway.hooks").warning("%s is not locked: %s", droplet.name, error)
        yield


@task(name=Step.LOOK.value, task_run_name="look at {side.colour}", timeout_seconds=120, **RETRIED)
def read_states(side: ColourDroplets) -> list[DeployedState]:
    """What stands on each droplet of a colour.

    Raises:
        what opening them raises.
    """
    found = []
    for droplet in side.droplets:
        with connected(droplet) as session:
            found.append(read_state(session, side.home(droplet)))
    return found


def read_state(session: Session | LockedSession, directory: StackDirectory) -> DeployedState:
    """What stands on one droplet; its secrets are kept out of logs from here on."""
    standing = read_deployed_state(
        session.run(deployed_state_script(directory), timeout=QUICK).out, directory, session.address.name
    )
    if standing.release and standing.stack:
        register_stack_secrets(standing.stack)
        register_environment_secrets(session, directory.current, standing.release)
    return standing
