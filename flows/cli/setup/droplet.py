"""`slipway droplet`: save a droplet, pin its host key."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.setup.saving import Name, Yes
from flows.cli.terminal.runner import run_flow

droplet_app = typer.Typer(no_args_is_help=True, help="Droplets: add one, pin its host key.")


@droplet_app.command("add")
def add_droplet(
    name: Name,
    host: Annotated[str, typer.Option(help="Name or address.")],
    key_file: Annotated[Path, typer.Option(help="The private key, without a passphrase.", exists=True, dir_okay=False)],
    port: Annotated[int, typer.Option(help="SSH port.")] = 22,
    user: Annotated[str, typer.Option(help="Needs the right to use Docker.")] = "root",
    directory: Annotated[str, typer.Option(help="Where releases are kept there.")] = "/opt/slipway",
    yes: Yes = False,
) -> None:
    """Save a droplet, and pin the host key it shows."""

    def work() -> None:
        from blocks import Droplet

        block = Droplet(host=host, port=port, user=user, private_key=key_file.read_text(), directory=directory)
        block._block_document_name = name
        _pin(block, name, yes)

    run_flow(work, False, quiet=True)


@droplet_app.command("pin")
def pin_droplet(name: Name, yes: Yes = False) -> None:
    """Ask a droplet for its host key, show the fingerprint, and pin it."""

    def work() -> None:
        from flows.tasks.runs.blocks import load_droplet

        _pin(load_droplet(name), name, yes)

    run_flow(work, False, quiet=True)


def _pin(block: Any, name: str, yes: bool) -> None:
    key, fingerprint = block.seen_host_key()
    print(f"{block.address} shows {key.split()[0]} {fingerprint}.")
    print("Compare it with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the droplet's own console.")
    if not yes and not typer.confirm("Pin this key?"):
        print("Nothing was saved.")
        raise typer.Exit(2)
    block.host_key = key
    block.save(name, overwrite=True)
    print(f"Saved the droplet {name}. Trying it.")
    print(f"{block.reach()}.")
