"""Steps on a share of the clients: whether a switch knows shares, set one, take one back that is left."""

from collections.abc import Sequence

from prefect.logging import get_run_logger

from blocks import TrafficSwitch
from blocks.errors import OutsideError, SwitchFailed, Unreachable
from blocks.polling import attempt, until
from blocks.traffic.state import Share, SwitchState
from flows.core.errors import BadCanary, DropletBusy, SlipwayError
from flows.core.steps import Step
from flows.core.traffic.edge.share import NO_SHARE
from flows.settings import Settings
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import mask
from flows.tasks.runs.retries import ONCE
from flows.tasks.traffic.colours import ColourDroplets, lock_colours
from flows.tasks.traffic.switch import open_switch, try_read_switch

_PAUSE = 0.2
_RETRY = 0.5


def refuse_canary(switch: TrafficSwitch, steps: Sequence[int]) -> None:
    """Refuse a canary that the switch cannot do, before anything is changed.

    Raises:
        BadCanary
    """
    if not steps:
        return
    if switch.undivided:
        raise BadCanary(
            f"{switch}, a {type(switch).__name__}, can send no share of the clients: {switch.undivided}. Nothing was "
            "changed. Promote without: --canary none; or use a CaddySwitch with a state file: slipway switch add"
        )
    said = switch.seen_share()
    if said != NO_SHARE and not said.startswith("/canary-"):
        raise BadCanary(
            f"the edge of {switch} knows no shares: asked for {switch.url}/.slipway/canary it says {mask(said)!r}. "
            "Nothing was changed. An edge of Slipway's learns it with the next deploy, one of your own by the "
            "Caddyfile in docs/BLUE_GREEN_DEPLOYMENT.md. Without: --canary none"
        )


@task(name=Step.SHARE.value, task_run_name="send {percent} % of the clients to {colour}", timeout_seconds=120, **ONCE)
def set_share(
    switch: TrafficSwitch, colour: str, percent: int, seen: SwitchState, by: str, patience: float
) -> SwitchState:
    """Send a share of the clients to a colour, and ask the edge until it sees that.

    Args:
        patience: seconds in which a switch that cannot be reached is tried again, and until the edge sees it.

    Raises:
        SwitchMoved, SwitchFailed, Unreachable
    """
    now = attempt(
        lambda: switch.set_share(colour, percent, seen, by),
        Unreachable,
        patience,
        pause=_RETRY,
        tell=lambda error: get_run_logger().warning("%s; trying again for %g s", error, patience),
    )
    wanted = f"/canary-{colour}-{percent:02}"
    until(
        switch.seen_share,
        lambda said: said == wanted,
        patience,
        pause=_PAUSE,
        tell=lambda _said, _seconds: None,
        unfinished=lambda said, _: SwitchFailed(
            f"the edge of {switch} does not see {percent} % of the clients on {colour} after {patience:g} s: it says "
            f"{mask(said)!r}"
        ),
    )
    return now


def take_back(switch: TrafficSwitch, share: Share, patience: float) -> str:
    """Send all clients to the active colour again; returns what became of that, in words. Never raises."""
    try:
        attempt(switch.end_share, Unreachable, patience, pause=_RETRY, tell=lambda _error: None)
    except OutsideError as error:
        return (
            f"the canary ({share}) could not be taken back: {mask(str(error))}. Once the switch answers: "
            "slipway switch-back"
        )
    return f"the canary ({share}) was taken back: all clients reach the active colour"


def take_back_left(switch: TrafficSwitch, seen: SwitchState, settings: Settings) -> str:
    """Take back the share of a promotion that ended in between; in words, '' where none stands.

    The caller holds a lock of the colours: a promotion under way has them all, but while it asks a person.
    """
    if seen.share is None:
        return ""
    words = take_back(switch, seen.share, settings.switch_timeout)
    get_run_logger().warning("left by %s: %s", mask(seen.share.by) or "somebody", words)
    return words


def take_back_unattended(
    switch: TrafficSwitch, seen: SwitchState, sides: Sequence[ColourDroplets], settings: Settings
) -> str:
    """The same for a caller without a lock: it waits for one, and leaves the share of a promotion that is under way."""
    if seen.share is None:
        return ""
    try:
        with lock_colours(sides[:1], sides[1], "taking a canary back", settings.lock_patience):
            return take_back_left(switch, try_read_switch(switch) or seen, settings)
    except DropletBusy as error:
        get_run_logger().info("a canary stands (%s), and is another's: %s", seen.share, error)
        return ""


def take_back_best_effort(droplet: str, settings: Settings) -> str:
    """The same by the settings, for one that holds the lock of a droplet of a colour; what fails is only logged."""
    if not settings.switch or not settings.colours.of(droplet):
        return ""
    try:
        with open_switch(settings) as switch:
            return take_back_left(switch, switch.read(), settings)
    except (OutsideError, SlipwayError) as error:
        get_run_logger().warning("whether a canary is left is not known: %s", mask(str(error)))
        return ""
