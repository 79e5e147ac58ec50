"""Puts the colour that traffic left to sleep, and puts right what a run that ended in between has left of that."""

import math
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager

from prefect.logging import get_run_logger

from blocks import TrafficSwitch
from blocks.errors import OutsideError
from blocks.polling import until
from blocks.traffic.state import SwitchState
from flows.core.deploy.deployed_state import DeployedState
from flows.core.droplet.asleep import SleepMarker, mark_asleep_script
from flows.core.errors import SlipwayError
from flows.core.steps import Step
from flows.core.traffic.colours import other
from flows.core.traffic.sleep import why_awake
from flows.settings import Settings
from flows.tasks.deploy.deployment import Deployment
from flows.tasks.deploy.steps import change_services
from flows.tasks.droplet.connection import QUICK
from flows.tasks.droplet.lock import LockedSession, locked
from flows.tasks.droplet.target import Target
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import mask
from flows.tasks.runs.retries import ONCE
from flows.tasks.runs.run_info import now
from flows.tasks.traffic.colours import ColourDroplets, lock_colours, read_states
from flows.tasks.traffic.switch import open_switch, read_switch, try_read_switch
from flows.tasks.traffic.waking import standing_deployment, start_and_wait, turning

_PAUSE, _LONGEST_PAUSE = 1.0, 30.0


@task(
    name=Step.SLEEP.value,
    task_run_name="put {deployment.release.tag} on {deployment.droplet} to sleep",
    **ONCE,
)
def sleep_services(deployment: Deployment, marker: SleepMarker) -> None:
    """Write the marker, then stop the services. Containers and volumes stay; it may run twice.

    Raises:
        DeployFailed: with Compose's own words.
    """
    d = deployment
    d.session.run(mark_asleep_script(d.directory), timeout=QUICK, stdin=marker.document())
    change_services(d, d.compose.stop())


def put_to_sleep(switch: TrafficSwitch, colour: ColourDroplets, seen: Collection[str], settings: Settings) -> str:
    """Put a colour to sleep that traffic does not reach, and that carries what it carried when that was decided.

    Args:
        seen: the marks of what it carried then.

    Returns:
        Why it stays awake; '' when it sleeps.

    Raises:
        DropletBusy: another run changes a droplet of it, or sends traffic there.
    """
    purpose = f"putting {colour.colour} of {colour.stack} to sleep"
    with (
        lock_colours([colour], None, purpose, settings.lock_patience),
        turning(colour, purpose, 0.0),
        ExitStack() as locks,
    ):
        states = read_states(colour)
        if reason := why_awake(colour.colour, read_switch(switch).active, seen, states):
            return reason
        for target, state in zip(colour.targets, states, strict=True):
            lock = locks.enter_context(target.locked(purpose))
            sleep_services(standing_deployment(lock, target, state), _marker(state))
    return ""


def _marker(state: DeployedState) -> SleepMarker:
    """A run that ended in between may have stopped some already: what it wrote holds."""
    services = state.slept if state.asleep else state.running
    return SleepMarker(state.record.name if state.record else "", services, now())


def let_sleep(
    switch: TrafficSwitch, colour: ColourDroplets, seen: Collection[str], turned_at: float, settings: Settings
) -> bool:
    """Wait until a colour that traffic left has been kept warm for long enough, and put it to sleep; whether it was.

    No lock is held while it waits, and the wait ends when traffic goes elsewhere. Whatever fails is a warning: the
    promotion is over, and it held.

    Args:
        seen: the marks of what both colours carried when traffic left.
        turned_at: when it left, in seconds since the epoch.
    """
    warm, log = settings.warm_seconds, get_run_logger()
    if math.isinf(warm):
        return False
    left = min(warm, max(0.0, turned_at + warm - time.time()))
    if left:
        log.info("%s is kept warm for %.0f s more, then it goes to sleep", colour, left)

    def moved(found: SwitchState | None) -> bool:
        return found is not None and found.active != (other(colour.colour),)

    try:
        until(lambda: try_read_switch(switch), moved, left, pause=_PAUSE, longest=_LONGEST_PAUSE)
        reason = put_to_sleep(switch, colour, seen, settings)
    except (SlipwayError, OutsideError) as error:
        reason = mask(str(error))
    if reason:
        log.warning("%s does not go to sleep: %s", colour, reason)
    else:
        log.info("✓ %s is asleep: its containers are stopped, and stay. slipway switch-back wakes it", colour)
    return not reason


@contextmanager
def sleeping_again(colour: ColourDroplets, settings: Settings) -> Iterator[None]:
    """Put a colour that sleeps to sleep again, when what is done to it fails and gives way to what slept there.

    Both colours awake take twice the memory. Whatever fails in doing so is a warning: the failure itself is told.
    """
    slept = _sleeping(colour) if settings.switch and math.isfinite(settings.warm_seconds) else set()
    try:
        yield
    except (SlipwayError, OutsideError):
        if slept:
            _back_to_sleep(colour, slept, settings)
        raise


def _back_to_sleep(colour: ColourDroplets, slept: Collection[str], settings: Settings) -> None:
    log = get_run_logger()
    try:
        states = read_states(colour)
        if {state.record.name for state in states if state.record} != slept:
            return  # what failed stands there, to be looked at
        with open_switch(settings) as switch:
            reason = put_to_sleep(switch, colour, [state.mark for state in states], settings)
    except (SlipwayError, OutsideError) as error:
        reason = mask(str(error))
    if reason:
        log.warning("%s does not go to sleep again: %s", colour, reason)
    else:
        log.info("✓ %s is asleep again, as it was before", colour)


def _sleeping(colour: ColourDroplets) -> set[str]:
    """The names of the releases that sleep on a colour; none where any of it is awake, or cannot be read."""
    try:
        states = read_states(colour)
    except (SlipwayError, OutsideError):
        return set()
    return {state.record.name for state in states if state.record} if all(state.asleep for state in states) else set()


def settle_sleep(lock: LockedSession, target: Target, state: DeployedState) -> tuple[str, str]:
    """Put right what a run that ended in between, or a restart of the droplet, has left of a sleep; leave one that is
    whole.

    Args:
        lock: of the droplet.
        state: one that is asleep.

    Returns:
        What was done, and why.

    Raises:
        DropletBusy: another run sends traffic there.
        DeployFailed, ServicesNotReady: it was woken, and is not ready.
    """
    settings, tag = target.settings, state.release.tag if state.release else ""
    colour, deployment = settings.colours.of(target.name), standing_deployment(lock, target, state)
    with locked(lock, target.directory.path, f"settling the sleep of {target.stack}", 0.0):
        active = _active(settings)
        if colour not in active and not state.running:
            return "nothing to do", f"release {tag} is asleep"
        beside = f"release {tag} is asleep, and {', '.join(state.running) or 'nothing'} runs"
        if colour and active == (other(colour),) and math.isfinite(settings.warm_seconds):
            sleep_services(deployment, _marker(state))
            return "put to sleep again", f"{beside}; traffic goes to {active[0]}"
        assert state.stack is not None
        start_and_wait([(deployment, state.stack, state.slept)], "What runs: slipway status")
        why = f"traffic goes to {' and '.join(active)}" if active else "where traffic goes is not known"
        return f"release {tag} was woken", f"{beside}; {why}"


def _active(settings: Settings) -> tuple[str, ...]:
    """The colours that the switch points at; none where there is no switch, or it cannot be read."""
    if not settings.switch:
        return ()
    try:
        with open_switch(settings) as switch:
            return read_switch(switch).active
    except (SlipwayError, OutsideError) as error:
        get_run_logger().warning("where traffic goes is not known: %s", mask(str(error)))
        return ()
