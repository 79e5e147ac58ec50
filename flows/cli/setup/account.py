"""`slipway account`: save the DigitalOcean token, check it, and see which droplets the account has."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.app import SET_UP, app
from flows.cli.setup.saving import load_named_account, read_secret, save_block
from flows.cli.terminal.console import SummaryConsole, tell
from flows.cli.terminal.destination import CommandGroup
from flows.cli.terminal.options import WideOption
from flows.cli.terminal.runner import run_callable
from flows.cli.terminal.tables import SummaryTable

if TYPE_CHECKING:
    from blocks.digitalocean.models import DropletInfo

account_app = CommandGroup(no_args_is_help=True, help="The DigitalOcean account.")
app.add_typer(account_app, name="account", rich_help_panel=SET_UP)

AccountNameOption = Annotated[str, typer.Option("--name", help="Name of the block; default: the setting `account`.")]


@account_app.command("set")
def slipway_account_set(
    token_file: Annotated[Path | None, typer.Option(help="Default: asked for, or read from a pipe.")] = None,
    api: Annotated[str, typer.Option(help="Base address of the API.")] = "https://api.digitalocean.com",
    name: AccountNameOption = "",
) -> None:
    """Save a token of DigitalOcean. docs/DOCR.md says which scopes it needs for what."""

    def save() -> None:
        from blocks import DigitalOceanAccount
        from flows.settings import Settings

        block = DigitalOceanAccount(token=read_secret("Token", token_file), api=api)
        save_block(block, name or Settings().account)

    run_callable(save, quiet=True)


@account_app.command("check")
def slipway_account_check(name: AccountNameOption = "") -> None:
    """Say whose token it is, and whether the account is in order: what comes before anything else."""
    tell(f"{run_callable(lambda: load_named_account(name).reach(), quiet=True)}.")


@account_app.command("droplets")
def slipway_account_droplets(name: AccountNameOption = "", wide: WideOption = False) -> None:
    """Show the account's droplets: address, region, size, what they cost, and their tags."""

    def find() -> "Sequence[DropletInfo]":
        with load_named_account(name).client() as client:
            return client.droplets.all()

    show_account_droplets(SummaryConsole(wide=wide), run_callable(find, quiet=True))


def show_account_droplets(console: SummaryConsole, droplets: "Sequence[DropletInfo]") -> None:
    """One row a droplet."""
    if not droplets:
        console.say("The account has no droplet.")
        return
    titles = ("droplet", *(["id"] if console.wide else []), "status", "address", "region", "size", "$/month", "tags")
    table = SummaryTable(*titles, free_text=["tags"])
    for droplet in sorted(droplets, key=lambda d: d.name):
        table.add_row(
            droplet.name,
            *([str(droplet.id)] if console.wide else []),
            droplet.status,
            droplet.public_ip,
            droplet.region,
            droplet.size,
            f"{droplet.price_monthly:.2f}",
            ", ".join(droplet.tags),
        )
    console.print(table)
