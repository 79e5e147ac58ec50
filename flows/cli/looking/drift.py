"""`slipway drift`, and its summary."""

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.text import Text

from flows.cli.app import UPKEEP, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import DropletOption, JsonOption, StackOption, VerboseOption, WideOption
from flows.cli.terminal.runner import run_flow
from flows.cli.terminal.tables import SummaryTable, marked

if TYPE_CHECKING:
    from flows.core.insight.drift import Drifted


@app.command("drift", rich_help_panel=UPKEEP)
def slipway_drift(
    stack: StackOption = None,
    droplet: DropletOption = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Put the same release there again, where that puts everything right.")
    ] = False,
    as_json: JsonOption = False,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Compare what is on droplets with what was put there; exit 1 when something differs."""
    droplets = [droplet] if droplet else None
    found = run_flow(
        "flows.drift:drift", verbose=verbose, quiet=not verbose, stack=stack, droplets=droplets, repair=repair
    )
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
    else:
        show_drift(SummaryConsole(wide=wide), found)
    if found.left:
        raise typer.Exit(1)


def show_drift(console: SummaryConsole, found: "Drifted") -> None:
    """Droplet by droplet, what differs."""
    table = SummaryTable("", "droplet", "release", "what differs", free_text=["what differs"])
    for one in found.seen:
        mended = one.droplet in found.repaired
        for finding in one.findings:
            mark = marked("✓") if mended else marked("?" if finding.kind == "unknown" else "✗")
            table.add_row(mark, one.droplet, one.tag, f"{'was put right: ' if mended else ''}{finding.what}")
        if not one.findings:
            table.add_row(marked("✓"), one.droplet, one.tag, Text("nothing", "dim"))
    if table.row_count:
        console.print(table)
    console.say(f"{escape(found.words)}.")
    if any(one.repairable for one in found.left):
        console.say("To put the same releases there again: slipway drift --repair")
