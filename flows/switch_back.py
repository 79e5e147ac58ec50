"""Moves traffic to a colour, and back again when that colour does not hold."""

import time

from prefect import flow
from prefect.logging import get_run_logger

from blocks import TrafficSwitch
from blocks.errors import OutsideError, SwitchMoved
from blocks.traffic.switch import Position
from flows.core.errors import BadColours, BothSick, NotPromoted, SlipwayError, SwitchedBack, SwitchUnclear
from flows.core.gates.verdict import Verdict
from flows.core.results import Turned
from flows.core.traffic.colours import COLOURS, other
from flows.gates import read_gates
from flows.settings import Settings
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import load_environment, remembered
from flows.tasks.runs.log_masking import masked
from flows.tasks.runs.run_info import this_run
from flows.tasks.stack.run_names import run_name
from flows.tasks.stack.source import stack_name
from flows.tasks.traffic.colours import Side, load_sides, look_at
from flows.tasks.traffic.switch import open_switch, probe_switch, read_switch, settle_switch, turn_switch, where


def go_back(
    switch: TrafficSwitch, sick: Side, old: Side | None, seen: Position, why: Exception, settings: Settings
) -> SlipwayError:
    """Send traffic back to the old colour if it is well, and return the error that tells the story.

    Traffic never goes back to a colour that is sick itself.
    """
    log, words = get_run_logger(), masked(f"{type(why).__name__}: {why}")
    log.error("✗ %s", words)
    if isinstance(why, SwitchMoved):
        return NotPromoted(f"{words}\nTraffic is where they sent it")
    if old is None:
        return BothSick(f"{words}\nTraffic came from nowhere, so there is no colour to go back to: slipway status")
    if trouble := sickness(old, settings):
        return BothSick(
            f"{words}\n{old} is not well either: {trouble}. Traffic stays on {sick}. Why: slipway debug-agent. "
            f"Send it to {old.colour} all the same: slipway switch-back --to {old.colour} --even-if-sick"
        )
    try:
        turned = move(switch, old, sick, seen, f"going back from {sick.colour}", settings)
    except (SlipwayError, OutsideError) as error:
        now = where(switch)
        stands = f"it points at {' and '.join(now.active) or 'nowhere'}" if now else "it cannot be read"
        return BothSick(f"{words}\nGoing back failed: {masked(str(error))}; {stands}. Then: slipway switch-back")
    return SwitchedBack(
        f"{words}\nSwitched back: traffic is on {old} again, {turned.seen_after:.2f} s after that was decided. "
        f"What failed stands on {sick.colour} to be looked at: slipway debug-agent --droplet {sick.droplets[0].name}"
    )


def move(switch: TrafficSwitch, to: Side, left: Side | None, seen: Position, why: str, settings: Settings) -> Turned:
    """Turn the switch, and ask through it until the colour answers.

    Raises:
        SwitchMoved, SwitchFailed, Unreachable
    """
    decided_at, began = time.time(), time.monotonic()
    run = this_run()
    turn_switch(switch, to.colour, seen, f"{run.by}: {why} ({run.name or 'a run'})", settings.switch_timeout)
    turned = time.monotonic() - began
    probe_switch(switch, to.colour, max(settings.switch_timeout, switch.takes))
    seen_after = time.monotonic() - began
    get_run_logger().info("✓ traffic reaches %s after %.2f s", to, seen_after)
    if switch.measured:
        get_run_logger().info("%s", switch.measured)
    return Turned(to.colour, left.colour if left else "", "", decided_at, turned, seen_after, switch.url)


def sickness(side: Side, settings: Settings) -> str:
    """What is wrong with a colour, in words; '' when nothing is. Metrics are not asked: it may be out of traffic."""
    quiet = settings.model_copy(update={"prometheus": "", "langfuse": ""})
    try:
        standings = look_at(side)
        if not all(standing.release for standing in standings):
            return "it carries no release"
        said = read_gates(side, None, standings, [], 0.0, quiet, patient=False)
    except (SlipwayError, OutsideError) as error:
        return masked(str(error))
    wrong = [r for r in said.readings if r.verdict is Verdict.FAIL and not r.observed and r.gate != "data home"]
    return "; ".join(f"{reading.gate}: {reading.found}" for reading in wrong)


@flow(name="switch-back", flow_run_name=run_name("send traffic of {stack} back"))
def switch_back(stack: str | None = None, to: str | None = None, even_if_sick: bool = False) -> Turned:
    """Send traffic to the colour it came from, which is kept warm for this, after asking whether it is well.

    It waits for nobody: a promotion that is watching notices, and ends.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        to: green or blue; only needed when the switch points nowhere, or at both.
        even_if_sick: go there whatever its probes say.
    """
    settings = Settings()
    name = stack_name(stack or settings.stack)
    if to is not None and to not in COLOURS:
        raise BadColours(f"{to} is no colour: {' or '.join(COLOURS)}")
    with remembered(), open_switch(settings) as switch:
        load_environment(settings, name)
        sides, seen = load_sides(name, settings), read_switch(switch)
        if to is None and len(seen.active) != 1:
            raise SwitchUnclear(
                f"{switch} points {'at both colours' if seen.active else 'nowhere'}. Say where traffic shall go: "
                "slipway switch-back --to COLOUR"
            )
        target = sides[to or other(seen.active[0])]
        if not even_if_sick and (trouble := sickness(target, settings)):
            raise BothSick(
                f"{target} is not well: {trouble}. Traffic stays where it is. Find out why: slipway debug-agent "
                f"--droplet {target.droplets[0].name}; go there all the same: --even-if-sick"
            )
        standing = [] if even_if_sick else look_at(target)
        left = next((sides[colour] for colour in seen.active if colour != target.colour), None)
        try:
            turned = move(switch, target, left, seen, "switching back", settings)
        finally:
            settle_switch(switch)
    tag = next((s.release.tag for s in standing if s.release), "")
    row: dict[str, object] = {
        "from": turned.left or "nowhere", "to": turned.colour, "release": tag,
        "answering after": f"{turned.seen_after:.2f} s",
    }  # fmt: skip
    table(f"traffic-{name}", [row], f"Traffic of {switch} goes to {target}")
    return Turned(**{**vars(turned), "tag": tag})
