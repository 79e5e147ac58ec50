"""plan: what a promotion would change, at any time, without changing anything."""

from prefect.logging import get_run_logger

from flows.core.traffic.approval import short_digest
from flows.core.traffic.promotion_plan import PromotionPlan, plan_promotion
from flows.settings import Settings
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import block_cache, load_environment
from flows.tasks.runs.declaration import flow
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name
from flows.tasks.traffic.colours import load_colours, promoted_to, read_states
from flows.tasks.traffic.switch import open_switch, read_switch


@flow(name="plan", flow_run_name=run_name("plan a promotion of {stack}"))
def plan(stack: str | None = None, to: str | None = None) -> PromotionPlan:
    """Say what a promotion of what stands on the idle colour would change: services, digests, environment keys.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        to: green or blue; only needed when the switch points nowhere.
    """
    settings = Settings()
    name = stack_name(stack or settings.stack)
    with block_cache(), open_switch(settings) as switch:
        load_environment(settings, name)
        sides, seen = load_colours(name, settings), read_switch(switch)
        colour, left = promoted_to(seen.active, to, str(switch), sides, settings)
        new, old = read_states(sides[colour]), read_states(sides[left]) if left else []
        found = plan_promotion(name, colour, left, new, old, str(switch), switch.client_impact)
    publish_plan(found)
    return found


def publish_plan(found: PromotionPlan) -> None:
    """The plan as a table in the UI, and its sentence in the log."""
    rows: list[dict[str, object]] = [
        {"service": c.service, "change": c.kind, "old": short_digest(c.old), "new": short_digest(c.new)}
        for c in found.changes
    ]
    keys = f"Environment keys that differ: {', '.join(found.keys) or 'none'}."
    table(f"plan-{found.stack}", rows, "\n\n".join((found.sentence, found.client_impact, keys, *found.notes)))
    get_run_logger().info("%s", found.sentence)
