"""Wakes a colour that is asleep, and keeps it awake while traffic is sent there.

Whoever sends traffic to a colour, and whoever puts it to sleep, holds a lock in the colour's own directory meanwhile.
The droplet's lock would not do, for a way back must not wait for a promotion that is watching.
"""

import math
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from prefect.logging import get_run_logger

from blocks.errors import OutsideError
from flows.core.deploy.deployed_state import DeployedState
from flows.core.droplet.asleep import mark_awake_script
from flows.core.errors import SlipwayError
from flows.core.stack.stack import Stack
from flows.core.steps import Step
from flows.core.traffic.sleep import services_to_wake
from flows.settings import Settings
from flows.tasks.deploy.deployment import Deployment
from flows.tasks.deploy.readiness import wait_until_ready
from flows.tasks.deploy.steps import OBSERVED, change_services
from flows.tasks.droplet.connection import QUICK
from flows.tasks.droplet.lock import LockedSession, locked
from flows.tasks.droplet.target import Target
from flows.tasks.runs.declaration import task
from flows.tasks.traffic.colours import ColourDroplets, lock_colours, read_states


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
    with turning(colour, f"sending traffic to {colour.colour} of {colour.stack}", settings.lock_patience):
        asleep = any(state.asleep for state in read_states(colour))
        yield _wake_up(colour, settings) if asleep else 0.0


@contextmanager
def turning(colour: ColourDroplets, purpose: str, wait: float) -> Iterator[None]:
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
                started.append((standing_deployment(lock, target, state), state.stack, state.slept))
        start_and_wait(started, f"Traffic was not moved. Why: slipway debug-agent --droplet {colour.targets[0].name}")
    seconds = time.monotonic() - began
    get_run_logger().info("✓ %s is awake and ready after %.2f s", colour, seconds)
    return seconds


def start_and_wait(started: Sequence[tuple[Deployment, Stack, Collection[str]]], story: str) -> None:
    """Start all of them, then wait for each; its marker goes when it is ready.

    Args:
        started: each with its stack, and what ran when it was put to sleep.
        story: what is told below an error.

    Raises:
        DeployFailed, ServicesNotReady
    """
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


def standing_deployment(lock: LockedSession, target: Target, state: DeployedState) -> Deployment:
    """The release that stands on a droplet, under the droplet's lock."""
    assert state.release is not None
    return Deployment(lock, target, state.release, state.record.name if state.record else "")
