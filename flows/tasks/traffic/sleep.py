"""Puts the colour that traffic left to sleep, wakes one, and puts right what a run that ended in between has left.

Whoever sends traffic to a colour, and whoever puts it to sleep, holds a lock in the colour's own directory meanwhile.
The droplet's lock would not do, for a way back must not wait for a promotion that is watching.
"""

import math
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from prefect.logging import get_run_logger

from blocks import TrafficSwitch
from blocks.errors import OutsideError
from blocks.polling import until
from blocks.traffic.switch import SwitchState
from flows.core.deploy.deployed_state import DeployedState
from flows.core.droplet.asleep import SleepMarker, mark_asleep_script, mark_awake_script
from flows.core.errors import SlipwayError
from flows.core.stack.stack import Stack
from flows.core.steps import Step
from flows.core.traffic.colours import other
from flows.core.traffic.sleep import services_to_wake, why_awake
from flows.settings import Settings
from flows.tasks.deploy.deployment import Deployment
from flows.tasks.deploy.readiness import wait_until_ready
from flows.tasks.deploy.steps import OBSERVED, change_services
from flows.tasks.droplet.connection import QUICK
from flows.tasks.droplet.lock import LockedSession, locked
from flows.tasks.droplet.target import Target
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import mask
from flows.tasks.runs.retries import ONCE
from flows.tasks.runs.run_info import now
from flows.tasks.traffic.colours import ColourDroplets, lock_colours, read_states
from flows.tasks.traffic.switch import open_switch, read_switch, try_read_switch

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


@task(
    name=Step.WAKE.value,
    task_run_name="wake {deployment.release.tag} on {deployment.droplet}",
    **OBSERVED,
)
def wake_services(deployment: Deployment, services: Sequence[str]) -> None:
    """Start the containers that were stopped, from the images they have; it may run twice.

    Raises:
        DeployFailed: with Compose's own words.
    """
    change_services(deployment, deployment.compose.wake(services))


@contextmanager
def kept_awake(colour: ColourDroplets, states: Sequence[DeployedState], settings: Settings) -> Iterator[float]:
    """Wake a colour that is asleep, and let nobody put it to sleep while traffic is sent there.

    Args:
        states: what its droplets carry, as far as that is known.

    Yields:
        The seconds that waking took; 0: it was awake.

    Raises:
        DropletBusy: it is asleep, and another run changes its droplet.
        DeployFailed, ServicesNotReady: it was woken, and is not ready.
    """
    if math.isinf(settings.warm_seconds) and not any(state.asleep for state in states):
        yield 0.0
        return
    with _turning(colour, f"sending traffic to {colour.colour} of {colour.stack}", settings.lock_patience):
        asleep = any(state.asleep for state in read_states(colour))
        yield _wake_up(colour, settings) if asleep else 0.0


@contextmanager
def _turning(colour: ColourDroplets, purpose: str, wait: float) -> Iterator[None]:
    """Hold the lock of whoever sends traffic to a colour, or puts it to sleep.

    Args:
        wait: seconds; 0 while the droplet's own lock is held, which whoever holds this one may wait for.
    """
    with ExitStack() as stack:
        for target in sorted(colour.targets, key=lambda target: target.name):
            session = stack.enter_context(target.connected())
            stack.enter_context(locked(session, target.directory.path, purpose, wait))
        yield


def _wake_up(colour: ColourDroplets, settings: Settings) -> float:
    """Wake every droplet of a colour, and return the seconds until all of it was ready."""
    began, purpose = time.monotonic(), f"waking {colour.colour} of {colour.stack}"
    get_run_logger().info("%s is asleep: it is woken", colour)
    with lock_colours([colour], None, purpose, settings.lock_patience), ExitStack() as locks:
        started = []
        for target, state in zip(colour.targets, read_states(colour), strict=True):
            if state.asleep and state.stack:
                lock = locks.enter_context(target.locked(purpose))
                started.append((_deployment(lock, target, state), state.stack, state.slept))
        _start_and_wait(started, f"Traffic was not moved. Why: slipway debug-agent --droplet {colour.targets[0].name}")
    seconds = time.monotonic() - began
    get_run_logger().info("✓ %s is awake and ready after %.2f s", colour, seconds)
    return seconds


def _start_and_wait(started: Sequence[tuple[Deployment, Stack, Collection[str]]], story: str) -> None:
    """Start all of them, then wait for each; the marker goes when it is ready."""
    try:
        for deployment, stack, slept in started:
            with deployment.at_work():
                wake_services(deployment, services_to_wake(stack, slept))
        for deployment, stack, _ in started:
            with deployment.at_work():
                wait_until_ready(deployment, stack)
            deployment.session.run(mark_awake_script(deployment.directory), timeout=QUICK)
    except (SlipwayError, OutsideError) as error:
        error.add_story(story)
        raise


def _deployment(lock: LockedSession, target: Target, state: DeployedState) -> Deployment:
    assert state.release is not None
    return Deployment(lock, target, state.release, state.record.name if state.record else "")


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
        _turning(colour, purpose, 0.0),
        ExitStack() as locks,
    ):
        states = read_states(colour)
        if reason := why_awake(colour.colour, read_switch(switch).active, seen, states):
            return reason
        for target, state in zip(colour.targets, states, strict=True):
            lock = locks.enter_context(target.locked(purpose))
            sleep_services(_deployment(lock, target, state), _marker(state))
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
    colour, deployment = settings.colours.of(target.name), _deployment(lock, target, state)
    with locked(lock, target.directory.path, f"settling the sleep of {target.stack}", 0.0):
        active = _active(settings)
        if colour not in active and not state.running:
            return "nothing to do", f"release {tag} is asleep"
        beside = f"release {tag} is asleep, and {', '.join(state.running) or 'nothing'} runs"
        if colour and active == (other(colour),) and math.isfinite(settings.warm_seconds):
            sleep_services(deployment, _marker(state))
            return "put to sleep again", f"{beside}; traffic goes to {active[0]}"
        assert state.stack is not None
        _start_and_wait([(deployment, state.stack, state.slept)], "What runs: slipway status")
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
