"""`slipway rollback`, `reconcile` and `history`, and their summaries."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.text import Text

from flows.cli.app import UPKEEP, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.looking import look, look_again
from flows.cli.terminal.options import (
    AgainOption,
    DropletOption,
    JsonOption,
    StackOption,
    VerboseOption,
    WaitOption,
    WideOption,
)
from flows.cli.terminal.runner import run_flow
from flows.cli.terminal.tables import SummaryTable, services_table

if TYPE_CHECKING:
    from flows.api.client import PrefectApi
    from flows.core.records.history import History
    from flows.core.results import Reconciled, RolledBack
    from flows.settings import Settings

_OUTCOME_STYLES = {"good": "green", "failed": "red", "rolled back": "yellow", "candidate": "cyan", "superseded": "dim"}
_MINUTES, _SECONDS = len("2026-05-04T12:00"), len("2026-05-04T12:00:00")


@app.command("rollback", rich_help_panel=UPKEEP)
def slipway_rollback(
    to: Annotated[
        str | None, typer.Option("--to", metavar="TAG", help="Default: the last known good release before this one.")
    ] = None,
    stack: StackOption = None,
    droplet: DropletOption = None,
    wait: WaitOption = 0.0,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Put a release that was good on the droplet in force again, validate it, and prove its digests."""
    back = run_flow("flows.rollback:rollback", verbose=verbose, to=to, stack=stack, droplet=droplet, wait=wait)
    show_rolled_back(SummaryConsole(wide=wide), back)


@app.command("reconcile", rich_help_panel=UPKEEP)
def slipway_reconcile(
    stack: StackOption = None, droplet: DropletOption = None, wait: WaitOption = 60.0, verbose: VerboseOption = False
) -> None:
    """Finish or undo what a killed, crashed or cancelled run left on a droplet."""
    done = run_flow("flows.reconcile:reconcile", verbose=verbose, stack=stack, droplet=droplet, wait=wait)
    show_reconciled(SummaryConsole(), done)


@app.command("history", rich_help_panel=UPKEEP)
def slipway_history(
    stack: StackOption = None,
    droplet: DropletOption = None,
    as_json: JsonOption = False,
    wide: WideOption = False,
    watch: AgainOption = 0.0,
) -> None:
    """Show what was deployed to each droplet, when, by whom, and what became of it."""

    def work(api: "PrefectApi", name: str, settings: "Settings") -> "dict[str, History]":
        from flows.looking.status import look_back

        return look_back(api, name, droplet, settings)

    console = SummaryConsole(wide=wide)

    def show(found: "dict[str, History]") -> None:
        if as_json:
            records = {name: [record.model_dump(mode="json") for record in one.records] for name, one in found.items()}
            print(json.dumps({"droplets": records}, indent=2))
        else:
            show_history(console, found)

    look_again(console, watch, show, lambda: look(work, stack))


def show_rolled_back(console: SummaryConsole, back: "RolledBack") -> None:
    """Services and probes of the release that is in force again."""
    console.print(services_table(console, back.services, back.validated.outcomes))
    gone = f", instead of {back.replaced}" if back.replaced and back.replaced != back.release.tag else ""
    pulled = f"{len(back.pulled)} images had to be pulled. " if back.pulled else ""
    console.say(
        f"Release [bold]{escape(back.release.tag)}[/bold] runs on [bold]{back.droplet}[/bold] again{gone}, by digest, "
        f"validated. {pulled}Healthy after {back.healthy_after:.1f} s, {back.seconds:.1f} s in all."
    )


def show_reconciled(console: SummaryConsole, found: "Reconciled") -> None:
    """What was done, and why."""
    console.say(f"[bold]{found.droplet}[/bold]: {escape(found.done)}. [dim]{escape(found.why)}[/dim]")


def show_history(console: SummaryConsole, found: Mapping[str, "History"]) -> None:
    """Droplet by droplet, the newest record first; the reason of an outcome stands below its record."""
    for name, history in found.items():
        console.say(f"[bold]{name}[/bold]")
        table = SummaryTable(
            "", "no.", "what", "release", "outcome", "began", "by", *(["environment"] if console.wide else [])
        )
        runs = history.deployed()
        for record in reversed(history.records):
            outcome = record.outcome.value
            table.add_row(
                "→" if record == runs else "",
                str(record.number),
                record.kind,
                record.tag,
                Text(outcome, _OUTCOME_STYLES[outcome]),
                record.began[: _SECONDS if console.wide else _MINUTES].replace("T", " "),
                record.run.by,
                *([record.environment] if console.wide else []),
                below=record.reason,
            )
        if table.row_count:
            console.print(table)
        else:
            console.say("  nothing was put here yet")
        for file in history.damaged:
            console.say(f"  [yellow]record {escape(file)} is damaged, and left out[/yellow]")
