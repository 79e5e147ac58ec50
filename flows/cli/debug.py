"""`slipway debug-agent`, and its summary: why a service is not well."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from flows.cli.app import UPKEEP, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import DropletOption, StackOption, VerboseOption
from flows.cli.terminal.runner import run_flow

if TYPE_CHECKING:
    from flows.core.debug.bundle import DebugResult


@app.command("debug-agent", rich_help_panel=UPKEEP)
def slipway_debug_agent(
    service: Annotated[str | None, typer.Argument(help="Default: every service that is not well.")] = None,
    stack: StackOption = None,
    droplet: DropletOption = None,
    local: Annotated[bool, typer.Option("--local", help="Look at the engine of this host, not at a droplet.")] = False,
    lines: Annotated[int, typer.Option("--lines", min=1, max=5000, help="Last log lines of each container.")] = 100,
    verbose: VerboseOption = False,
) -> None:
    """Find out why a service is not well, change nothing, and keep what was found as one archive."""
    if local and droplet:
        raise typer.BadParameter("cannot go with --droplet: one place is looked at", param_hint="--local")
    found = run_flow(
        "flows.debug_agent:debug_agent",
        verbose=verbose,
        service=service,
        stack=stack,
        droplet=droplet,
        local=local,
        lines=lines,
    )
    show_debug_result(SummaryConsole(), found)


def show_debug_result(console: SummaryConsole, found: "DebugResult") -> None:
    """The diagnosis of each service, its troubles in red; the host's only when it has any."""
    if not found.readings:
        console.say(f"Every service of {found.stack} on {found.place} is [green]well[/green]. Nothing was kept.")
        return
    for reading in found.readings:
        if reading.troubles or reading.service in found.services:
            console.say(f"[bold]{escape(reading.service)}[/bold]")
            colour, mark = ("red", "✗") if reading.troubles else ("green", "✓")
            for text in reading.sentences:
                noted = text in reading.notes
                console.say(f"    {escape(text)}" if noted else f"  [{colour}]{mark} {escape(text)}[/{colour}]")
    console.say(
        f"Looked at {', '.join(found.services) or 'the host'} on [bold]{found.place}[/bold] "
        f"in {found.seconds:.1f} s: {found.path} ({found.size / 1000:,.0f} kB)"
    )
