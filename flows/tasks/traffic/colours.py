"""The two colours as they are now: their droplets, opened and locked together, and what each of them runs."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from prefect.logging import get_logger, get_run_logger

from blocks.errors import OutsideError
from blocks.ssh.shell import RemoteShell
from flows.core.deploy.deployed_state import DeployedState, deployed_state_script, read_deployed_state
from flows.core.errors import DropletBusy, SlipwayError
from flows.core.steps import Step
from flows.core.traffic.colours import COLOURS, Colour, check_colours, direction, other
from flows.settings import Settings
from flows.tasks.droplet.connection import QUICK
from flows.tasks.droplet.deployed_secrets import register_environment_secrets
from flows.tasks.droplet.target import Target
from flows.tasks.runs.blocks import load_droplet
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import mask, register_stack_secrets
from flows.tasks.runs.retries import RETRIED


@dataclass(frozen=True)
class ColourDroplets:
    """One colour of a stack: the targets that it consists of."""

    colour: str
    stack: str
    targets: tuple[Target, ...]

    def __str__(self) -> str:
        return f"{self.colour} ({', '.join(target.name for target in self.targets)})"


def load_colours(stack: str, settings: Settings) -> dict[str, ColourDroplets]:
    """Both colours of a stack.

    Raises:
        BlockMissing, BadColours
    """
    colours: dict[str, ColourDroplets] = {
        colour: ColourDroplets(
            colour,
            stack,
            tuple(Target.of(load_droplet(name), stack, settings) for name in settings.colours.droplets(colour)),
        )
        for colour in COLOURS
    }
    blocks = [target.droplet for each in colours.values() for target in each.targets]
    check_colours(settings.colours, {d.name: f"{d.user}@{d.host}:{d.port}{d.part}" for d in blocks})
    return colours


def promoted_to(
    active: Sequence[str], to: str | None, where: str, colours: dict[str, ColourDroplets], settings: Settings
) -> tuple[Colour, Colour | None]:
    """The colour to promote, and the one that traffic leaves, as `direction` has it. A switch that points nowhere is
    that of a new edge only as long as the other colour has no release: then nobody has to say where to.

    Args:
        where: the switch, in words.

    Raises:
        SwitchAmbiguous
    """
    first = settings.first_colour if not active and to is None else None
    if first and any(state.release for state in read_states(colours[other(first)])):
        first = None
    return direction(active, to, where, first)


@contextmanager
def lock_colours(
    colours: Sequence[ColourDroplets], optional: ColourDroplets | None, purpose: str, wait: float
) -> Iterator[None]:
    """Hold the locks of all droplets of these colours, in the order of their names, so that two never wait crosswise.

    Args:
        optional: a colour whose droplets may be away: what traffic leaves may be what is broken. A lock that another
            run holds there counts all the same.
        wait: seconds to wait while another run holds one.

    Raises:
        DropletBusy: names who holds it.
    """
    every = [(target, False) for colour in colours for target in colour.targets]
    every += [(target, True) for target in (optional.targets if optional else ())]
    with ExitStack() as stack:
        for target, may_be_away in sorted(every, key=lambda pair: pair[0].name):
            try:
                stack.enter_context(target.locked(purpose, wait))
            except DropletBusy:
                raise
            except (OutsideError, SlipwayError) as error:
                if not may_be_away:
                    raise
                get_logger("slipway.hooks").warning("%s is not locked: %s", target.name, error)
        yield


@task(name=Step.LOOK.value, task_run_name="look at {colour.colour}", timeout_seconds=120, **RETRIED)
def read_states(colour: ColourDroplets) -> list[DeployedState]:
    """What each droplet of a colour runs.

    Raises:
        what opening them raises.
    """
    found = []
    for target in colour.targets:
        with target.connected() as session:
            found.append(read_state(session, target))
    return found


def read_states_if_reachable(colour: ColourDroplets | None) -> list[DeployedState]:
    """What a colour runs, or nothing: it may be the one that is broken, and then nothing goes back to it."""
    if colour is None:
        return []
    try:
        return read_states(colour)
    except (OutsideError, SlipwayError) as error:
        get_run_logger().warning("%s cannot be looked at: %s", colour, mask(str(error)))
        return []


def read_state(session: RemoteShell, target: Target) -> DeployedState:
    """What one droplet runs; its secrets are kept out of logs from here on."""
    directory = target.directory
    answer = session.run(deployed_state_script(directory), timeout=QUICK)
    state = read_deployed_state(answer.out, directory, target.name)
    if state.release and state.stack:
        register_stack_secrets(state.stack)
        register_environment_secrets(session, directory.current, state.release)
    return state
