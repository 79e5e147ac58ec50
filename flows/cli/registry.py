"""`slipway registry set-docr`, `gc` and `retention`, and their summary: DigitalOcean's container registry."""

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.setup.blocks import registry_app
from flows.cli.setup.saving import CaOption, read_certificate, save_block
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import DryRunOption, VerboseOption, WaitOption, WideOption, split_names
from flows.cli.terminal.runner import run_callable, run_flow
from flows.cli.terminal.tables import SummaryTable, goes_or_stays

if TYPE_CHECKING:
    from flows.core.registry.cleanup import CleanupResult

WithoutOption = Annotated[
    str,
    typer.Option(
        "--without", metavar="NAMES", help="Droplets, by comma, that are gone for good: nothing of theirs is kept."
    ),
]
_MOST_ROWS = 40


@registry_app.command("set-docr")
def slipway_registry_set_docr(
    registry: Annotated[str, typer.Option(help="The registry's own name at DigitalOcean.")],
    single_repository: Annotated[str, typer.Option(help="Keep all images in this one repository.")] = "",
    account: Annotated[str, typer.Option(help="Name of the account's block; default: the setting.")] = "",
    lifetime: Annotated[int, typer.Option(min=600, max=86400, help="Seconds a login that may write lives.")] = 3600,
    host: Annotated[str, typer.Option(help="Where its API is.")] = "registry.digitalocean.com",
    ca: CaOption = None,
    name: Annotated[str, typer.Option(help="Name of the block.")] = "registry",
) -> None:
    """Save DigitalOcean's registry. No password is needed: logins come from the account, and live for minutes."""

    def save() -> None:
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
            ca_certificate=read_certificate(ca),
        )
        save_block(block, name)

    run_callable(save, quiet=True)


@registry_app.command("gc")
def slipway_registry_gc(
    dry_run: DryRunOption = False,
    without: WithoutOption = "",
    wait: WaitOption = 0.0,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Collect garbage: what no droplet and no published release needs. The registry is read-only meanwhile."""
    result = run_flow(
        "flows.registry_gc:registry_gc", verbose=verbose, dry_run=dry_run, without=split_names(without), wait=wait
    )
    show_cleanup(SummaryConsole(wide=wide), result)


@registry_app.command("retention")
def slipway_registry_retention(
    keep: Annotated[int | None, typer.Option(help="Newest releases of each stack that stay.")] = None,
    dry_run: DryRunOption = False,
    without: WithoutOption = "",
    wait: WaitOption = 0.0,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Remove the tags of old releases that no droplet keeps. Their images go with the next collection."""
    result = run_flow(
        "flows.registry_retention:registry_retention",
        verbose=verbose,
        keep=keep,
        dry_run=dry_run,
        without=split_names(without),
        wait=wait,
    )
    show_cleanup(SummaryConsole(wide=wide), result)


def show_cleanup(console: SummaryConsole, result: "CleanupResult") -> None:
    """What went from a registry, and why the rest stays."""
    table = SummaryTable("", "repository", "what", "why", free_text=["why"])
    plan = result.sweep
    for row in plan.rows(len(plan.fates) if console.wide else _MOST_ROWS):
        table.add_row(goes_or_stays(row[""] == "goes"), *(str(row[key]) for key in ("repository", "what", "why")))
    if table.row_count:
        console.print(table)
    more = len(plan.fates) - table.row_count
    if more > 0:
        console.say(f"… and {more} more: --wide shows all.")
    count, done = len(plan.goes), "Would remove" if result.dry_run else "Removed"
    freed = f" {result.blobs} blobs and {result.freed / 1e6:.1f} MB are free." if result.read_only else ""
    read_only = f" Nothing could be pushed for {result.read_only:.0f} s." if result.read_only else ""
    unchanged = " Nothing was changed." if result.dry_run else ""
    times = f"{freed}{read_only}{unchanged} In {result.seconds:.1f} s."
    console.say(f"{done} {count} from [bold]{result.registry}[/bold].{times}")
