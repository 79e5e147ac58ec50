"""Moves traffic to a colour, and back again when that colour does not hold."""

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack

from prefect.logging import get_run_logger

from blocks import TrafficSwitch
from blocks.errors import OutsideError, SwitchMoved
from blocks.traffic.state import Share, SwitchState
from flows.core.control.events import SWITCHED_BACK
from flows.core.deploy.deployed_state import DeployedState
from flows.core.errors import BadColours, BothColoursUnhealthy, NotPromoted, SlipwayError, SwitchAmbiguous, SwitchedBack
from flows.core.gates.verdict import Verdict
from flows.core.results import TrafficMoved
from flows.core.traffic.colours import COLOURS, Colour, other
from flows.gates import read_gates
from flows.settings import Settings
from flows.tasks.insight.overview import keep_overview
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import block_cache, load_environment
from flows.tasks.runs.declaration import flow
from flows.tasks.runs.events import emit
from flows.tasks.runs.log_masking import mask
from flows.tasks.runs.run_info import this_run
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name
from flows.tasks.traffic.colours import ColourDroplets, load_colours, read_states, read_states_if_reachable
from flows.tasks.traffic.switch import (
    finish_switch,
    open_switch,
    probe_switch,
    read_switch,
    refuse_silent_switch,
    switch_to,
    try_read_switch,
)
from flows.tasks.traffic.waking import kept_awake


def move_traffic_back(
    switch: TrafficSwitch,
    unwell: ColourDroplets,
    old: ColourDroplets | None,
    seen: SwitchState,
    why: Exception,
    settings: Settings,
) -> SlipwayError:
    """Send traffic back to the old colour if it is well, and return the error that tells the story.

    Traffic never goes back to a colour that is unwell itself. In a promotion it is awake, for it goes to sleep after
    the watch. Whoever watches later may find it asleep, and then it is woken first.
    """
    log, words = get_run_logger(), mask(f"{type(why).__name__}: {why}")
    log.error("✗ %s", words)
    if isinstance(why, SwitchMoved):
        return NotPromoted(f"{words}\nTraffic is where they sent it")
    if old is None:
        return BothColoursUnhealthy(
            f"{words}\nTraffic came from nowhere, so there is no colour to go back to: slipway status"
        )
    try:
        with kept_awake(old, (), settings) as woken:
            if trouble := unhealthy_reason(old, settings):
                return BothColoursUnhealthy(
                    f"{words}\n{old} is not well either: {trouble}. Traffic stays on {unwell}. "
                    "Why: slipway debug-agent. "
                    f"Send it to {old.colour} all the same: slipway switch-back --to {old.colour} --force"
                )
            turned = move_traffic(switch, old, unwell, seen, f"going back from {unwell.colour}", settings)
    except (SlipwayError, OutsideError) as error:
        now = try_read_switch(switch)
        stands = f"it points at {' and '.join(now.active) or 'nowhere'}" if now else "it cannot be read"
        # Turned back, and no answer either: what is in front of both colours is down, and turning helps nobody.
        turned_back = now is not None and now.active == (old.colour,)
        then = f"Look at {switch} itself first, and then: slipway watch" if turned_back else "Then: slipway switch-back"
        return BothColoursUnhealthy(f"{words}\nGoing back failed: {mask(str(error))}; {stands}. {then}")
    emit(SWITCHED_BACK, stack=old.stack, colour=old.colour, previous=unwell.colour, reason=words)
    after = f" and {woken:.2f} s of waking it" if woken else ""
    return SwitchedBack(
        f"{words}\nSwitched back: traffic is on {old} again, {turned.seen_after:.2f} s after that was decided{after}. "
        f"What failed stands on {unwell.colour} to be looked at: slipway debug-agent --droplet {unwell.targets[0].name}"
    )


def move_traffic(
    switch: TrafficSwitch,
    to: ColourDroplets,
    left: ColourDroplets | None,
    seen: SwitchState,
    why: str,
    settings: Settings,
) -> TrafficMoved:
    """Turn the switch, and ask through it until the colour answers.

    Raises:
        SwitchMoved, SwitchFailed, Unreachable
    """
    decided_at, began = time.time(), time.monotonic()
    run = this_run()
    switch_to(switch, to.colour, seen, f"{run.by}: {why} ({run.name or 'a run'})", settings.switch_timeout)
    turned = time.monotonic() - began
    probe_switch(switch, to.colour, max(settings.switch_timeout, switch.max_seconds))
    seen_after = time.monotonic() - began
    get_run_logger().info("✓ traffic reaches %s after %.2f s", to, seen_after)
    if switch.last_report:
        get_run_logger().info("%s", switch.last_report)
    return TrafficMoved(to.colour, left.colour if left else "", "", decided_at, turned, seen_after, switch.url)


def unhealthy_reason(side: ColourDroplets, settings: Settings) -> str:
    """What is wrong with a colour, in words; '' when nothing is. Metrics are not asked: it may be out of traffic."""
    quiet = settings.model_copy(update={"prometheus": "", "langfuse": ""})
    try:
        standings = read_states(side)
        if not all(standing.release for standing in standings):
            return "it carries no release"
        said = read_gates(side, None, standings, [], 0.0, quiet, patient=False)
    except (SlipwayError, OutsideError) as error:
        return mask(str(error))
    wrong = [r for r in said.readings if r.verdict is Verdict.FAIL and not r.observed and r.gate != "data home"]
    return "; ".join(f"{reading.gate}: {reading.found}" for reading in wrong)


@flow(name="switch-back", flow_run_name=run_name("send traffic of {stack} back"), overview=keep_overview)
def switch_back(stack: str | None = None, to: Colour | None = None, force: bool = False) -> TrafficMoved:
    """Send traffic to the colour it came from, after asking whether it is well; one that is asleep is woken before.

    While a canary sends a share of the clients to the other colour, these go back, and all stay where most are.
    It waits for no promotion: one that is watching notices, and ends.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        to: green or blue; only needed when the switch points nowhere, or at both.
        force: go there whatever its probes say.
    """
    settings = Settings()
    name = stack_name(stack or settings.stack)
    if to is not None and to not in COLOURS:
        raise BadColours(f"{to} is no colour: {' or '.join(COLOURS)}")
    with block_cache(), open_switch(settings) as switch:
        load_environment(settings, name)
        sides, seen = load_colours(name, settings), read_switch(switch)
        if to is None and seen.share and seen.active == (other(seen.share.colour),):
            ended = _end_share(switch, seen, seen.share)
            emit(SWITCHED_BACK, stack=name, colour=ended.colour, previous=ended.previous_colour, reason="a canary ends")
            return ended
        if to is None and len(seen.active) != 1:
            raise SwitchAmbiguous(
                f"{switch} points {'at both colours' if seen.active else 'nowhere'}. Say where traffic shall go: "
                "slipway switch-back --to COLOUR"
            )
        target = sides[to or other(seen.active[0])]
        standing = [] if force and math.isinf(settings.warm_seconds) else read_states_if_reachable(target)
        with ExitStack() as guard:
            woken = _wake(guard, target, standing, force, settings)
            if not force and (trouble := unhealthy_reason(target, settings)):
                raise BothColoursUnhealthy(
                    f"{target} is not well: {trouble}. Traffic stays where it is. Find out why: slipway debug-agent "
                    f"--droplet {target.targets[0].name}; go there all the same: --force"
                )
            if not force:
                refuse_silent_switch(switch, seen, settings.switch_timeout)
            left = next((sides[colour] for colour in seen.active if colour != target.colour), None)
            try:
                turned = move_traffic(switch, target, left, seen, "switching back", settings)
            finally:
                finish_switch(switch)
    tag = next((s.release.tag for s in standing if s.release), "")
    row: dict[str, object] = {
        "from": turned.previous_colour or "nowhere", "to": turned.colour, "release": tag,
        **({"woken after": f"{woken:.2f} s"} if woken else {}), "answering after": f"{turned.seen_after:.2f} s",
    }  # fmt: skip
    table(f"traffic-{name}", [row], f"Traffic of {switch} goes to {target}")
    left_colour = turned.previous_colour
    emit(SWITCHED_BACK, stack=name, tag=tag, colour=turned.colour, previous=left_colour, reason="it was asked for")
    return TrafficMoved(**{**vars(turned), "tag": tag, "woken_after": woken})


def _end_share(switch: TrafficSwitch, seen: SwitchState, share: Share) -> TrafficMoved:
    """Send the clients of a canary back to the active colour, which all others have reached all the time."""
    decided_at, began = time.time(), time.monotonic()
    switch.end_share()
    ended = time.monotonic() - began
    get_run_logger().info("✓ the canary (%s) was taken back", share)
    return TrafficMoved(seen.active[0], share.colour, "", decided_at, ended, time.monotonic() - began, switch.url)


def _wake(
    guard: ExitStack, target: ColourDroplets, standing: Sequence[DeployedState], force: bool, settings: Settings
) -> float:
    """Wake the colour where it is asleep, and keep it awake; the seconds it took. One that cannot be reached is not."""
    if not standing:
        return 0.0
    try:
        return guard.enter_context(kept_awake(target, standing, settings))
    except (SlipwayError, OutsideError) as error:
        if not force:
            raise
        get_run_logger().warning("%s was not woken: %s", target, mask(str(error)))
        return 0.0
