"""`slipway status`, and its summary."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.markup import escape

from flows.cli.app import FLOWS, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.looking import look, look_again
from flows.cli.terminal.options import AgainOption, DropletOption, JsonOption, StackOption, WideOption
from flows.cli.terminal.tables import services_table

if TYPE_CHECKING:
    from flows.api.client import PrefectApi
    from flows.core.results import DropletStatus
    from flows.looking.traffic import Traffic
    from flows.settings import Settings


@app.command("status", rich_help_panel=FLOWS)
def slipway_status(
    stack: StackOption = None,
    droplet: DropletOption = None,
    as_json: JsonOption = False,
    wide: WideOption = False,
    watch: AgainOption = 0.0,
) -> None:
    """Show which release each droplet runs, and how its services are."""

    def work(api: "PrefectApi", name: str, settings: "Settings") -> "tuple[dict[str, DropletStatus], Traffic]":
        from flows.looking.status import look_at_droplets

        return look_at_droplets(api, name, droplet, settings)

    console, errors = SummaryConsole(wide=wide), SummaryConsole(stderr=True)

    def show(seen: "tuple[dict[str, DropletStatus], Traffic]") -> None:
        found, traffic = seen
        if as_json:
            print(json.dumps({"droplets": {name: status.as_json() for name, status in found.items()}}, indent=2))
        else:
            show_status(console, found)
        if traffic.trouble:
            errors.say(f"[yellow]{escape(traffic.trouble)}[/yellow]")

    look_again(console, watch, show, lambda: look(work, stack))


def show_status(console: SummaryConsole, found: Mapping[str, "DropletStatus"]) -> None:
    """Droplet by droplet: its release, its colour's part in traffic, who changes it, and its services."""
    for name, status in found.items():
        active = {True: " · [green]active[/green]", False: " · idle", None: ""}[status.active]
        active = " · [cyan]data home[/cyan]" if status.home else active
        active += " · [cyan]asleep[/cyan]" if status.asleep else ""
        active += f" · [yellow]canary: {status.share} % of the clients[/yellow]" if status.share is not None else ""
        record = status.record
        last = f" · {record.outcome.value}, {record.kind} {record.number}" if record else ""
        console.say(f"[bold]{name}[/bold] · release {escape(status.release or 'none')}{active}[dim]{last}[/dim]")
        if record:
            by = f", by {escape(record.run.by)}" if record.run.by else ""
            console.say(f"  [dim]since {escape(record.began[:19].replace('T', ' '))} UTC{by}[/dim]")
        if status.holder:
            console.say(f"  [yellow]being changed by {escape(status.holder)}[/yellow]")
        if status.trouble:
            console.say(f"  [red]{escape(status.trouble)}[/red]")
        if status.services:
            console.print(services_table(console, status.services))
    if not found:
        console.say("No droplets are known. Add one: slipway droplet add NAME --host ADDRESS --key-file PATH")
