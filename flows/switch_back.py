"""switch_back: send traffic to the other colour, if it is well."""

from prefect import flow

from flows.core.colours import COLOURS, other
from flows.core.errors import BadColours, BothSick, SwitchUnclear
from flows.core.outcome import Turned
from flows.moving import move, sickness
from flows.names import run_name
from flows.settings import Settings
from flows.tasks.report import table
from flows.tasks.saved import load_environment, remembered
from flows.tasks.sides import load_sides, look_at
from flows.tasks.source import stack_name
from flows.tasks.traffic import open_switch, read_switch, settle_switch


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
