"""`slipway automations set`: the automations at the Prefect server, and what became of each."""

from typing import Annotated

import typer
from rich.markup import escape

from flows.cli.app import SET_UP, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.destination import CommandGroup
from flows.cli.terminal.options import VerboseOption
from flows.cli.terminal.runner import run_callable

automations = CommandGroup(no_args_is_help=True, help="Automations at the Prefect server.")
app.add_typer(automations, name="automations", rich_help_panel=SET_UP)


@automations.command("set")
def set_automations(
    notify: Annotated[
        str, typer.Option("--notify", metavar="KIND/NAME", help="A notification block, as slack-webhook/ops.")
    ] = "",
    heartbeat: Annotated[
        float,
        typer.Option(
            "--heartbeat", min=30, metavar="SECONDS", help="PREFECT_FLOWS_HEARTBEAT_FREQUENCY of the workers."
        ),
    ] = 180.0,
    verbose: VerboseOption = False,
) -> None:
    """Mark dead runs as crashed, reconcile after them, and tell people; twice changes nothing."""
    done = run_callable(lambda: _ensure(notify, heartbeat), verbose=verbose, quiet=True)
    show_automations(SummaryConsole(), done)


def _ensure(notify: str, heartbeat: float) -> dict[str, str]:
    from flows.settings import Settings
    from flows.tasks.control.automations import ensure_automations

    return {**ensure_automations(Settings(), notify=notify, heartbeat=heartbeat)}


def show_automations(console: SummaryConsole, done: dict[str, str]) -> None:
    """Each automation, and what became of it."""
    for name, outcome in done.items():
        console.say(f"{escape(name)}: {outcome}")
