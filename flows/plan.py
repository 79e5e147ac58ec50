"""plan: what a promotion would change, at any time, without changing anything."""

from prefect import flow
from prefect.logging import get_run_logger

from flows.core.traffic.approval import short
from flows.core.traffic.colours import direction
from flows.core.traffic.promotion_plan import Plan, make_plan
from flows.settings import Settings
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import load_environment, remembered
from flows.tasks.stack.run_names import run_name
from flows.tasks.stack.source import stack_name
from flows.tasks.traffic.colours import load_sides, look_at
from flows.tasks.traffic.switch import open_switch, read_switch


@flow(name="plan", flow_run_name=run_name("plan a promotion of {stack}"))
def plan(stack: str | None = None, to: str | None = None) -> Plan:
    """Say what a promotion of what stands on the idle colour would change: services, digests, environment keys.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        to: green or blue; only needed when the switch points nowhere.
    """
    settings = Settings()
    name = stack_name(stack or settings.stack)
    with remembered(), open_switch(settings) as switch:
        load_environment(settings, name)
        sides, seen = load_sides(name, settings), read_switch(switch)
        colour, left = direction(seen.active, to, str(switch))
        new, old = look_at(sides[colour]), look_at(sides[left]) if left else []
        found = make_plan(name, colour, left, new, old, str(switch), switch.effect)
    show_plan(found)
    return found


def show_plan(found: Plan) -> None:
    """The plan as a table in the UI, and its sentence in the log."""
    rows: list[dict[str, object]] = [
        {"service": c.service, "change": c.kind, "old": short(c.old), "new": short(c.new)} for c in found.changes
    ]
    keys = f"Environment keys that differ: {', '.join(found.keys) or 'none'}."
    table(f"plan-{found.stack}", rows, "\n\n".join((found.sentence, found.effect, keys, *found.notes)))
    get_run_logger().info("%s", found.sentence)
