"""The commands for what happens after a release: go back, look back, tidy up, find out why."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from flows.cli.debug import debug_agent
from flows.cli.prune import prune, system_prune
from flows.cli.terminal.options import AsJson, Droplet, Stack, Verbose, Wait, show
from flows.cli.terminal.runner import run_flow
from flows.cli.terminal.tables import _services, _table
from flows.core.records.history import History
from flows.core.results import (
    Reconciled,
    RolledBack,
)

PANEL = "Upkeep"


def add_upkeep(app: typer.Typer) -> None:
    """Add these commands to `slipway`."""
    for command in (rollback, reconcile, history, prune, debug_agent):
        app.command(rich_help_panel=PANEL)(command)
    app.command("system-prune", rich_help_panel=PANEL)(system_prune)


def rollback(
    to: Annotated[
        str | None, typer.Option("--to", metavar="TAG", help="Default: the last known good release before this one.")
    ] = None,
    stack: Stack = None,
    droplet: Droplet = None,
    wait: Wait = 0.0,
    verbose: Verbose = False,
) -> None:
    """Put a release that was good on the droplet in force again, validate it, and prove its digests."""

    def work() -> Any:
        from flows.rollback import rollback as flow

        return flow(to, stack, droplet, "", wait)

    show("show_rolled_back", run_flow(work, verbose))


def reconcile(stack: Stack = None, droplet: Droplet = None, wait: Wait = 60.0, verbose: Verbose = False) -> None:
    """Finish or undo what a killed, crashed or cancelled run left on a droplet."""

    def work() -> Any:
        from flows.reconcile import reconcile as flow

        return flow(stack, droplet, wait)

    show("show_reconciled", run_flow(work, verbose))


def history(stack: Stack = None, droplet: Droplet = None, as_json: AsJson = False, verbose: Verbose = False) -> None:
    """Show what was put on each droplet, when, by whom, and what became of it."""

    def work() -> Any:
        from flows.history import history as flow

        return flow(stack, [droplet] if droplet else None)

    found = run_flow(work, verbose, quiet=not verbose)
    if as_json:
        said = {name: [record.model_dump(mode="json") for record in one.records] for name, one in found.items()}
        print(json.dumps({"droplets": said}, indent=2))
    else:
        show("show_history", found)


def show_rolled_back(console: Console, back: RolledBack) -> None:
    console.print(_services(back.services, back.validated.outcomes))
    gone = f", instead of {back.left}" if back.left and back.left != back.release.tag else ""
    pulled = f"{len(back.pulled)} images had to be pulled. " if back.pulled else ""
    console.print(
        f"Release [bold]{back.release.tag}[/bold] runs on [bold]{back.droplet}[/bold] again{gone}, by digest, "
        f"validated. {pulled}Healthy after {back.healthy_after:.1f} s, {back.seconds:.1f} s in all."
    )


def show_reconciled(console: Console, found: Reconciled) -> None:
    console.print(f"[bold]{found.droplet}[/bold]: {escape(found.done)}. [dim]{escape(found.why)}[/dim]")


def show_history(console: Console, found: Mapping[str, History]) -> None:
    colours = {"good": "green", "failed": "red", "rolled back": "yellow", "candidate": "cyan"}
    for name, said in found.items():
        console.print(f"[bold]{name}[/bold]")
        table = _table("", "no.", "what", "release", "outcome", "began", "by", "environment", "why")
        runs = said.deployed()
        for record in reversed(said.records):
            outcome = record.outcome.value
            table.add_row(
                "→" if record == runs else "", str(record.number), record.kind, record.tag,
                f"[{colours[outcome]}]{outcome}[/{colours[outcome]}]", record.began[:19].replace("T", " "),
                record.run.by, record.environment[:8], escape(record.reason),
            )  # fmt: skip
        console.print(table if said.records else "  nothing was put here yet")
        for file in said.damaged:
            console.print(f"  [yellow]record {file} is damaged, and left out[/yellow]")
