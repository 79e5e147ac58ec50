"""Steps on the traffic switch: read it, turn it, probe which colour answers through it."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.logging import get_run_logger

from blocks import CaddySwitch, DnsSwitch, LoadBalancerSwitch, ReservedIpSwitch, TrafficSwitch
from blocks.errors import OutsideError, SwitchFailed, SwitchMoved, Unreachable
from blocks.polling import attempt, until
from blocks.traffic.digitalocean_switch import DigitalOceanSwitch
from blocks.traffic.state import SwitchProbe, SwitchState
from flows.core.errors import NoSwitch, SwitchSilent
from flows.core.secrets.masking import file_values
from flows.core.steps import Step
from flows.settings import Settings
from flows.tasks.runs.blocks import load_any
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import register_secrets
from flows.tasks.runs.retries import ONCE, RETRIED

KINDS: tuple[type[TrafficSwitch], ...] = (LoadBalancerSwitch, DnsSwitch, ReservedIpSwitch, CaddySwitch)
IN_A_ROW = 3
_PAUSE, _RETRY = 0.05, 0.5
_LONG = 5.0


@contextmanager
def open_switch(settings: Settings) -> Iterator[TrafficSwitch]:
    """The traffic switch of the settings; its connection stays open meanwhile.

    Raises:
        NoSwitch: none is named. BlockMissing: no block of that name.
    """
    if not settings.switch:
        raise NoSwitch(
            "there is no traffic switch, so there is one colour only. Save one (slipway switch add) and name it: "
            "SLIPWAY_SWITCH=NAME. How to get there: docs/BLUE_GREEN_DEPLOYMENT.md"
        )
    remedy = f"slipway switch add {settings.switch} --url URL --host DROPLET"
    if shared := settings.shared_droplet:
        remedy = f"slipway edge setup {shared} --stack STACK --url URL; for an edge of your own: {remedy}"
    switch = load_any(KINDS, settings.switch, remedy)
    if isinstance(switch, CaddySwitch):
        register_secrets(file_values("key", switch.host.private_key.get_secret_value()))
    if isinstance(switch, DigitalOceanSwitch):
        register_secrets([switch.account.token.get_secret_value()])
    try:
        yield switch
    finally:
        switch.close()


@task(name=Step.READ_SWITCH.value, task_run_name="read {switch.name}", timeout_seconds=60, **RETRIED)
def read_switch(switch: TrafficSwitch) -> SwitchState:
    """The state of the switch, read from the switch itself."""
    return switch.read()


def prepare_switch(switch: TrafficSwitch) -> None:
    """Do beforehand what makes the turn of the switch quick."""
    switch.prepare(get_run_logger().info)


def finish_switch(switch: TrafficSwitch) -> None:
    """Undo what `prepare_switch` did; what fails is only logged."""
    try:
        switch.finish()
    except OutsideError as error:
        get_run_logger().warning("%s; the next promotion does it", error)


@task(name=Step.TURN.value, task_run_name="turn {switch.name} to {to}", timeout_seconds=600, **ONCE)
def switch_to(switch: TrafficSwitch, to: str, seen: SwitchState, by: str, patience: float) -> SwitchState:
    """Send traffic to a colour. When the answer is lost it is sent again: a turn that took effect is not made twice.

    Args:
        patience: seconds in which a switch that cannot be reached is tried again.

    Raises:
        SwitchMoved, SwitchFailed, Unreachable
    """
    return attempt(
        lambda: switch.switch_to(to, seen, by),
        Unreachable,
        patience,
        pause=_RETRY,
        tell=lambda error: get_run_logger().warning("%s; trying again for %g s", error, patience),
    )


@task(name=Step.PROBE_SWITCH.value, task_run_name="ask through {switch.name} for {colour}", **ONCE)
def probe_switch(switch: TrafficSwitch, colour: str, patience: float) -> SwitchProbe:
    """Probe through the switch until a colour has answered well three times in a row.

    Args:
        patience: seconds.

    Raises:
        SwitchFailed: it did not within that time; with what came instead.
    """

    def right(probe: SwitchProbe) -> bool:
        return probe.well and probe.colour == colour

    def several() -> SwitchProbe:
        """The last of several right answers, or the first other one."""
        probe = switch.probe()
        for _ in range(IN_A_ROW - 1):
            if right(probe):
                probe = switch.probe()
        return probe

    told: set[str] = set()

    def tell(probe: SwitchProbe, seconds: float) -> None:
        """Say what comes instead, once, when it takes long."""
        if seconds >= _LONG and probe.detail not in told:
            told.add(probe.detail)
            get_run_logger().warning("not yet %s after %.0f s of %g s: %s", colour, seconds, patience, probe.detail)

    return until(
        several,
        right,
        patience,
        pause=_PAUSE,
        tell=tell,
        unfinished=lambda probe, _: SwitchFailed(
            f"{colour} does not answer through {switch} after {patience:g} s: {probe.detail}"
        ),
    )


def refuse_silent_switch(switch: TrafficSwitch, seen: SwitchState, patience: float, done: str = "") -> None:
    """Refuse to go on where what stands in front of both colours does not answer at all; what it answers is no matter,
    for the active colour may be the sick one.

    Args:
        patience: seconds in which it is asked again.
        done: what was done before, for the error.

    Raises:
        SwitchSilent
    """
    if not switch.in_front or not seen.active:
        return
    probe = until(switch.probe, lambda probe: probe.status, patience, pause=_RETRY)
    if not probe.status:
        error = SwitchSilent(
            f"{switch} does not answer: {probe.detail}. Traffic was not moved, and no release is to blame. Look at it "
            "first: its container or service on its host, and the ports there; then try again"
        )
        if done:
            error.add_story(done)
        raise error


def answers(switch: TrafficSwitch) -> bool:
    """Whether what stands in front of both colours answers at all; a switch that only leads to one is taken to."""
    return not switch.in_front or bool(switch.probe().status)


def try_read_switch(switch: TrafficSwitch) -> SwitchState | None:
    """The state of the switch, or None when it cannot be read now."""
    try:
        return switch.read()
    except OutsideError:
        return None


def read_switch_at(switch: TrafficSwitch, colour: str) -> SwitchState:
    """The state of the switch after it was turned to a colour, if nobody else has moved it since.

    Raises:
        SwitchMoved
    """
    now = read_switch(switch)
    if now.active != (colour,):
        raise SwitchMoved(
            f"{switch} was moved to {' and '.join(now.active) or 'nowhere'} by {now.by or 'somebody'} in the meantime"
        )
    return now
