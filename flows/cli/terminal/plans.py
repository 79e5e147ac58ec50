"""The plan of a deploy in a terminal."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.text import Text

from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.tables import SummaryTable

if TYPE_CHECKING:
    from flows.core.deploy.plan.plan import DeployPlan

_STYLES = {"new": "green", "replaced": "yellow", "removed": "red", "left alone": "dim"}


def show_plans_of_deploys(console: SummaryConsole, plans: Iterable["DeployPlan"], *, as_json: bool = False) -> None:
    """Droplet by droplet, or all of them as JSON."""
    if as_json:
        print(json.dumps({"plans": [plan.as_json() for plan in plans]}, indent=2))
        return
    for plan in plans:
        show_plan_of_deploy(console, plan)


def show_plan_of_deploy(console: SummaryConsole, plan: "DeployPlan") -> None:
    """Service by service, what becomes of it and why; then what is pulled, what differs, and how long it takes."""
    instead = f" instead of {plan.old_tag}" if plan.old_tag else ""
    console.say(f"[bold]Plan:[/bold] release [bold]{escape(plan.tag)}[/bold] on {plan.droplet}{escape(instead)}")
    table = SummaryTable("service", "becomes", "because", free_text=["because"])
    for one in plan.services:
        becomes = Text(one.becomes, _STYLES.get(one.becomes, "yellow"))
        table.add_row(one.service, becomes, "; ".join(one.reasons))
    console.print(table)
    for pull in plan.pulls if console.wide else ():
        console.say(f"To pull: {escape(pull.image)}, {pull.bytes:,} bytes, {pull.there} of {pull.layers} layers there")
    for sentence in (plan.pulled, plan.environment, plan.took, *(f"Note: {note}." for note in plan.notes)):
        console.say(escape(sentence))
