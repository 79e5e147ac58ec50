"""`slipway prune` and `system-prune`, and their summaries."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from flows.cli.app import UPKEEP, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import DropletOption, DryRunOption, StackOption, VerboseOption, WaitOption, WideOption
from flows.cli.terminal.runner import run_callable, run_flow
from flows.cli.terminal.tables import SummaryTable, goes_or_stays

if TYPE_CHECKING:
    from flows.core.prune.removal import Pruned
    from flows.core.prune.system_prune import PrunableObjects, SystemPruned


@app.command("prune", rich_help_panel=UPKEEP)
def slipway_prune(
    stack: StackOption = None,
    droplet: DropletOption = None,
    dry_run: DryRunOption = False,
    build_host: Annotated[
        bool, typer.Option("--build-host", help="Tidy the build host too: dangling images, builder cache.")
    ] = False,
    keep: Annotated[
        int | None,
        typer.Option("--keep", metavar="N", help="Good releases that stay; default: the setting `retention`."),
    ] = None,
    wait: WaitOption = 0.0,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Remove from a droplet what no kept release needs; never a volume, nothing of anybody else's."""
    pruned = run_flow(
        "flows.prune:prune",
        verbose=verbose,
        stack=stack,
        droplet=droplet,
        dry_run=dry_run,
        build_host=build_host,
        keep=keep,
        wait=wait,
    )
    show_pruned(SummaryConsole(wide=wide), pruned)


@app.command("system-prune", rich_help_panel=UPKEEP)
def slipway_system_prune(
    droplet: DropletOption = None,
    confirm: Annotated[
        str | None, typer.Option("--confirm", metavar="NAME", help="The droplet's name, instead of being asked for it.")
    ] = None,
    wait: WaitOption = 0.0,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Last resort: remove everything unused from a droplet, whoever left it there. Named volumes stay."""
    console = SummaryConsole(wide=wide)
    if confirm is None:
        confirm = run_callable(lambda: _ask_for_name(console, droplet), verbose=verbose, quiet=True)
    pruned = run_flow("flows.system_prune:system_prune", verbose=verbose, droplet=droplet, confirm=confirm, wait=wait)
    show_system_pruned(console, pruned)


def _ask_for_name(console: SummaryConsole, droplet: str | None) -> str:
    """Show what would go, and let a person type the droplet's name; no lock is held meanwhile."""
    from flows.system_prune import prunable_on

    name, prunable = prunable_on(droplet)
    show_prunable(console, name, prunable)
    try:
        return str(typer.prompt(f"Type the droplet's name ({name}) to go on", default="", show_default=False))
    except typer.Abort:
        return ""


def show_pruned(console: SummaryConsole, pruned: "Pruned") -> None:
    """What went from a droplet or would go, and why the rest stays."""
    removal = pruned.removal
    table = SummaryTable("", "kind", "name", "found", "MB", free_text=["found"])
    for row in removal.rows():
        table.add_row(goes_or_stays(row[""] == "goes"), *(str(row[key]) for key in ("kind", "name", "why", "MB")))
    if table.row_count:
        console.print(table)
    for warning in removal.warnings:
        console.say(f"[yellow]{escape(warning)}[/yellow]")
    done = "Would remove" if pruned.dry_run else "Removed"
    console.say(
        f"{done} {removal} of {pruned.stack} {'on' if pruned.dry_run else 'from'} [bold]{pruned.droplet}[/bold]. "
        f"{'Nothing was changed. ' if pruned.dry_run else ''}In {pruned.seconds:.1f} s."
    )
    for line in pruned.build_host:
        console.say(f"Build host: {escape(line)}")
    for report in pruned.reports:
        console.say(
            f"[dim]Reports: {escape(report.name)} {'would go' if pruned.dry_run else 'went'}: {report.why}[/dim]"
        )


def show_prunable(console: SummaryConsole, droplet: str, prunable: "PrunableObjects") -> None:
    """What a system prune would take."""
    table = SummaryTable("kind", "name", "found", "size", free_text=["found"])
    for row in prunable.rows():
        table.add_row(*(str(row[key]) for key in ("kind", "name", "what", "size")))
    console.print(table)
    console.say(
        f"All this goes from [bold]{droplet}[/bold], and what only stopped containers use. "
        f"{len(prunable.named)} named volumes stay, and so do the images of the releases kept there."
    )


def show_system_pruned(console: SummaryConsole, pruned: "SystemPruned") -> None:
    """What the engine says it freed."""
    console.say(
        f"[bold]{pruned.droplet}[/bold]: {escape(pruned.freed)}. "
        f"All {len(pruned.prunable.named)} named volumes are still there. In {pruned.seconds:.1f} s."
    )
