"""`slipway registry set-docr`, `gc` and `retention`: DigitalOcean's container registry."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.cli.setup.blocks import registry_app
from flows.cli.setup.saving import save
from flows.cli.terminal.options import Verbose, Wait, show
from flows.cli.terminal.runner import run_flow
from flows.core.registry.cleanup import CleanupResult

DryRun = Annotated[bool, typer.Option("--dry-run", help="List what would go, and change nothing.")]
Without = Annotated[
    str, typer.Option(metavar="NAMES", help="Droplets, by comma, that are gone for good: nothing of theirs is kept.")
]


@registry_app.command("set-docr")
def set_docr(
    registry: Annotated[str, typer.Option(help="The registry's own name at DigitalOcean.")],
    single_repository: Annotated[str, typer.Option(help="Keep all images in this one repository.")] = "",
    account: Annotated[str, typer.Option(help="Name of the account's block; default: the setting.")] = "",
    lifetime: Annotated[int, typer.Option(min=600, max=86400, help="Seconds a login that may write lives.")] = 3600,
    host: Annotated[str, typer.Option(help="Where its API is.")] = "registry.digitalocean.com",
    name: Annotated[str, typer.Option(help="Name of the block.")] = "registry",
) -> None:
    """Save DigitalOcean's registry. No password is needed: logins come from the account, and live for minutes."""

    def work() -> None:
        from blocks import DocrRegistry
        from flows.settings import Settings
        from flows.tasks.runs.blocks import load_account

        block = DocrRegistry(
            registry_url=host,
            account=load_account(Settings(account=account) if account else Settings()),
            registry_name=registry,
            lifetime=lifetime,
            layout="single-repository" if single_repository else "repository-per-service",
            repository=single_repository,
        )
        save(block, name)

    run_flow(work, False, quiet=True)


@registry_app.command("gc")
def collect(dry_run: DryRun = False, without: Without = "", wait: Wait = 0.0, verbose: Verbose = False) -> None:
    """Collect garbage: what no droplet and no published release needs. The registry is read-only meanwhile."""

    def work() -> Any:
        from flows.registry_gc import registry_gc as flow

        return flow(dry_run, [name for name in without.split(",") if name], wait)

    show("show_swept", run_flow(work, verbose))


@registry_app.command("retention")
def retain(
    keep: Annotated[int | None, typer.Option(help="Newest releases of each stack that stay.")] = None,
    dry_run: DryRun = False,
    without: Without = "",
    wait: Wait = 0.0,
    verbose: Verbose = False,
) -> None:
    """Remove the tags of old releases that no droplet keeps. Their images go with the next collection."""

    def work() -> Any:
        from flows.registry_retention import registry_retention as flow

        return flow(keep, dry_run, [name for name in without.split(",") if name], wait)

    show("show_swept", run_flow(work, verbose))


def show_swept(console: Console, swept: CleanupResult) -> None:
    """What went from a registry, and why the rest stays."""
    table = Table("", "repository", "what", "why", box=None, pad_edge=False)
    for row in swept.sweep.rows(40):
        goes = "[yellow]goes[/yellow]" if row[""] == "goes" else "[green]stays[/green]"
        table.add_row(goes, *(escape(str(row[key])) for key in ("repository", "what", "why")))
    if table.row_count:
        console.print(table)
    left = len(swept.sweep.fates) - table.row_count
    if left > 0:
        console.print(f"… and {left} more, in the Prefect UI.")
    count, done = len(swept.sweep.goes), "Would remove" if swept.dry_run else "Removed"
    freed = f" {swept.blobs} blobs and {swept.freed / 1e6:.1f} MB are free." if swept.read_only else ""
    read_only = f" Nothing could be pushed for {swept.read_only:.0f} s." if swept.read_only else ""
    unchanged = " Nothing was changed." if swept.dry_run else ""
    said = f"{freed}{read_only}{unchanged} In {swept.seconds:.1f} s."
    console.print(f"{done} {count} from [bold]{swept.registry}[/bold].{said}")
