"""The Typer application of `slipway` and its help panels. Command modules register their commands here."""

from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from flows.cli.terminal.destination import CommandGroup, DestinationOption, name_destination
from flows.cli.terminal.runner import leave

SET_UP, FLOWS, TRAFFIC, UPKEEP, DIGITALOCEAN = PANELS = ("Set up", "Flows", "Traffic", "Upkeep", "DigitalOcean")


class PanelOrder(TyperGroup):
    """A group that lists its commands panel by panel; inside a panel, in the order of their registration."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of the commands in the order in which `--help` shows them."""
        return sorted(super().list_commands(ctx), key=lambda name: PANELS.index(self._panel(name)))

    def _panel(self, name: str) -> str:
        return str(getattr(self.commands[name], "rich_help_panel", ""))


app = CommandGroup(
    cls=PanelOrder,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Build a Docker Compose stack once, deploy it to droplets by digest, validate it.\n\n"
    "Exit codes: 0 done · 1 it failed · 2 refused, nothing was changed · 3 a person said no, or nobody answered · "
    "130 interrupted.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"slipway {version('slipway')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[  # noqa: ARG001 — its callback has printed it
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    destination: DestinationOption = "",
) -> None:
    """Options of `slipway` itself."""
    name_destination(destination)


def ended(command_line: Callable[[], object]) -> NoReturn:
    """Run the command line, and end the process with its exit code."""
    try:
        command_line()
    except SystemExit as end:
        leave(end.code if isinstance(end.code, int) else int(end.code is not None))
    leave(0)
