"""`slipway debug-agent`: why a service is not well."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from flows.cli.terminal.options import Droplet, Stack, Verbose, show
from flows.cli.terminal.runner import run_flow
from flows.core.debug.bundle import DebugResult


def debug_agent(
    service: Annotated[str | None, typer.Argument(help="Default: every service that is not well.")] = None,
    stack: Stack = None,
    droplet: Droplet = None,
    local: Annotated[bool, typer.Option("--local", help="Look at the engine of this host, not at a droplet.")] = False,
    lines: Annotated[int, typer.Option("--lines", min=1, max=5000, help="Last log lines of each container.")] = 100,
    verbose: Verbose = False,
) -> None:
    """Find out why a service is not well, change nothing, and keep what was found as one archive."""
    if local and droplet:
        raise typer.BadParameter("cannot go with --droplet: one place is looked at", param_hint="--local")

    def work() -> Any:
        from flows.debug_agent import debug_agent as flow

        return flow(service, stack, droplet, local, lines)

    show("show_debugged", run_flow(work, verbose))


def show_debugged(console: Console, bundle: DebugResult) -> None:
    """The reading of each service, its troubles in red; the host's only when it has any."""
    if not bundle.readings:
        console.print(f"Every service of {bundle.stack} on {bundle.place} is [green]well[/green]. Nothing was kept.")
        return
    for reading in bundle.readings:
        if reading.troubles or reading.service in bundle.services:
            console.print(f"[bold]{escape(reading.service)}[/bold]")
            colour, mark = ("red", "✗") if reading.troubles else ("green", "✓")
            for text in reading.sentences:
                noted = text in reading.notes
                console.print(f"    {escape(text)}" if noted else f"  [{colour}]{mark} {escape(text)}[/{colour}]")
    console.print(
        f"Looked at {', '.join(bundle.services) or 'the host'} on [bold]{bundle.place}[/bold] "
        f"in {bundle.seconds:.1f} s: "
        f"{bundle.path} ({bundle.size / 1000:,.0f} kB)",
        soft_wrap=True,
    )
