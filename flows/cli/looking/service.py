"""`slipway logs` and `slipway exec`: a service's log, and a command inside of it."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from flows.cli.app import UPKEEP, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.looking import look
from flows.cli.terminal.options import DropletOption, StackOption

if TYPE_CHECKING:
    from flows.api.client import PrefectApi
    from flows.settings import Settings

ServiceArgument = Annotated[str, typer.Argument(metavar="SERVICE", help="A service of the stack.")]
ColourOption = Annotated[
    Literal["green", "blue"] | None,
    typer.Option("--colour", help="Default: the colour that traffic reaches, where there are two."),
]
_MOST_STDIN = 64 * 1024 * 1024


@app.command("logs", rich_help_panel=UPKEEP)
def slipway_logs(
    service: ServiceArgument,
    stack: StackOption = None,
    droplet: DropletOption = None,
    colour: ColourOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    since: Annotated[
        str, typer.Option("--since", metavar="10m", help="A duration, or a time: 2026-05-04T12:00:00Z.")
    ] = "",
    tail: Annotated[int, typer.Option("--tail", metavar="LINES", min=0, max=100_000)] = 200,
) -> None:
    """Print what a service says, its secrets masked."""
    console = SummaryConsole(soft_wrap=True)

    def work(api: "PrefectApi", name: str, settings: "Settings") -> None:
        from flows.looking.service import places_with, show_logs

        places = places_with(api, name, service, droplet=droplet, colour=colour, settings=settings)

        def show(place: str, line: str) -> None:
            head = f"[cyan]{place}[/cyan] " if len(places) > 1 else ""
            console.print(f"{head}{escape(line)}")

        show_logs(list(places.values()), service, show, tail=tail, since=since, follow=follow)

    look(work, stack)


@app.command("exec", rich_help_panel=UPKEEP)
def slipway_exec(
    service: ServiceArgument,
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND…", help="What is run inside of it.")],
    stack: StackOption = None,
    droplet: DropletOption = None,
    colour: ColourOption = None,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=1, help="After that it is ended.")
    ] = 600.0,
) -> None:
    """Run a command inside a service, without a terminal; its exit code is ours. What is piped in, it reads."""
    console, errors = SummaryConsole(soft_wrap=True), SummaryConsole(soft_wrap=True, stderr=True)

    def work(api: "PrefectApi", name: str, settings: "Settings") -> int:
        from flows.core.errors import ConflictingOptions
        from flows.looking.service import places_with, run_inside

        places = places_with(api, name, service, droplet=droplet, colour=colour, settings=settings)
        if len(places) > 1:
            choices = ", --droplet ".join(places)
            raise ConflictingOptions(f"service {service} runs on several droplets. Name one: --droplet {choices}")
        given = b"" if sys.stdin.isatty() else sys.stdin.buffer.read(_MOST_STDIN)
        show = {"out": console, "err": errors}
        (place,) = places.values()
        return run_inside(
            place, service, command, lambda stream, line: show[stream].print(escape(line)), stdin=given, timeout=timeout
        )

    raise typer.Exit(look(work, stack))
