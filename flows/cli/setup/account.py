"""`slipway account`: save the DigitalOcean token, check it, and see which droplets the account has."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from flows.cli.setup.saving import save, secret
from flows.cli.terminal.runner import run_flow, wide_console

account_app = typer.Typer(no_args_is_help=True, help="The DigitalOcean account.")

Name = Annotated[str, typer.Option(help="Name of the block; default: the setting `account`.")]


@account_app.command("set")
def set_account(
    token_file: Annotated[Path | None, typer.Option(help="Default: asked for, or read from a pipe.")] = None,
    api: Annotated[str, typer.Option(help="Base address of the API.")] = "https://api.digitalocean.com",
    name: Name = "",
) -> None:
    """Save a token of DigitalOcean. docs/DOCR.md says which scopes it needs for what."""

    def work() -> None:
        from blocks import DigitalOceanAccount
        from flows.settings import Settings

        save(DigitalOceanAccount(token=secret("Token", token_file), api=api), name or Settings().account)

    run_flow(work, False, quiet=True)


@account_app.command("check")
def check_account(name: Name = "") -> None:
    """Say whose token it is, and whether the account is in order: what comes before anything else."""

    def work() -> None:
        print(f"{_account(name).reach()}.")

    run_flow(work, False, quiet=True)


@account_app.command("droplets")
def list_droplets(name: Name = "") -> None:
    """Show the account's droplets: address, region, size, what they cost, and their tags."""

    def work() -> None:
        with _account(name).client() as client:
            found = client.droplets.all()
        table = Table(
            "droplet", "id", "status", "address", "region", "size", "$/month", "tags", box=None, pad_edge=False
        )
        for droplet in sorted(found, key=lambda d: d.name):
            table.add_row(
                droplet.name, str(droplet.id), droplet.status, droplet.public_ip, droplet.region, droplet.size,
                f"{droplet.price_monthly:.2f}", ", ".join(droplet.tags),
            )  # fmt: skip
        wide_console().print(table if found else "The account has no droplet.")

    run_flow(work, False, quiet=True)


def _account(name: str):  # type: ignore[no-untyped-def]  # a block, whose class is not imported for --help
    from flows.settings import Settings
    from flows.tasks.runs.blocks import load_account

    settings = Settings()
    return load_account(settings.model_copy(update={"account": name}) if name else settings)
