"""`slipway prune` and `system-prune`, and their summaries."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from flows.cli.terminal.options import Droplet, Stack, Verbose, Wait, show
from flows.cli.terminal.runner import run_flow
from flows.cli.terminal.tables import _table
from flows.core.prune.removal import Pruned
from flows.core.prune.system_prune import PrunableObjects, SystemPruned


def prune(
    stack: Stack = None,
    droplet: Droplet = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would go, and change nothing.")] = False,
    build_host: Annotated[
        bool, typer.Option("--build-host", help="Tidy the build host too: dangling images, builder cache.")
    ] = False,
    keep: Annotated[
        int | None,
        typer.Option("--keep", metavar="N", help="Good releases that stay; default: the setting `retention`."),
    ] = None,
    wait: Wait = 0.0,
    verbose: Verbose = False,
) -> None:
    """Remove from a droplet what no kept release needs; never a volume, nothing of anybody else's."""

    def work() -> Any:
        from flows.prune import prune as flow

        return flow(stack, droplet, dry_run, build_host, keep, wait)

    show("show_pruned", run_flow(work, verbose))


def system_prune(
    droplet: Droplet = None,
    confirm: Annotated[
        str | None, typer.Option("--confirm", metavar="NAME", help="The droplet's name, instead of being asked for it.")
    ] = None,
    wait: Wait = 0.0,
    verbose: Verbose = False,
) -> None:
    """Last resort: remove everything unused from a droplet, whoever left it there. Named volumes stay."""
    if confirm is None:
        confirm = run_flow(lambda: _asked(droplet), verbose, quiet=True)

    def work() -> Any:
        from flows.system_prune import system_prune as flow

        return flow(droplet, confirm, wait)

    show("show_system_pruned", run_flow(work, verbose))


def _asked(droplet: str | None) -> str:
    """Show what would go, and let a person type the droplet's name; no lock is held meanwhile."""
    from flows.system_prune import prunable_on

    found = prunable_on(droplet)
    show("show_debris", found)
    try:
        return str(typer.prompt(f"Type the droplet's name ({found[0]}) to go on", default="", show_default=False))
    except typer.Abort:
        return ""


def show_pruned(console: Console, pruned: Pruned) -> None:
    removal = pruned.removal
    table = _table("", "kind", "name", "found", "MB")
    for row in removal.rows():
        goes = "[yellow]goes[/yellow]" if row[""] == "goes" else "[green]stays[/green]"
        table.add_row(goes, *(escape(str(row[key])) for key in ("kind", "name", "why", "MB")))
    if table.row_count:
        console.print(table)
    for warning in removal.warnings:
        console.print(f"[yellow]{escape(warning)}[/yellow]")
    done = "Would remove" if pruned.dry_run else "Removed"
    console.print(
        f"{done} {removal} of {pruned.stack} {'on' if pruned.dry_run else 'from'} [bold]{pruned.droplet}[/bold]. "
        f"{'Nothing was changed. ' if pruned.dry_run else ''}In {pruned.seconds:.1f} s."
    )
    for said in pruned.build_host:
        console.print(f"Build host: {escape(said)}")


def show_debris(console: Console, found: tuple[str, PrunableObjects]) -> None:
    name, debris = found
    table = _table("kind", "name", "found", "size")
    for row in debris.rows():
        table.add_row(*(escape(str(row[key])) for key in ("kind", "name", "what", "size")))
    console.print(table)
    console.print(
        f"All this goes from [bold]{name}[/bold], and what stopped containers alone hold on to. "
        f"{len(debris.named)} named volumes stay, and so do the images of the releases kept there."
    )


def show_system_pruned(console: Console, pruned: SystemPruned) -> None:
    console.print(
        f"[bold]{pruned.droplet}[/bold]: {escape(pruned.freed)}. "
        f"All {len(pruned.debris.named)} named volumes are still there. In {pruned.seconds:.1f} s."
    )
