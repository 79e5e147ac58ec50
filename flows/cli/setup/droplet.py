"""`slipway droplet`: save a droplet, pin its host key."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.app import SET_UP, app
from flows.cli.setup.saving import NameArgument, YesOption, confirmed_host_key, read_key_file
from flows.cli.terminal.console import tell
from flows.cli.terminal.destination import CommandGroup
from flows.cli.terminal.runner import run_callable

if TYPE_CHECKING:
    from blocks import Droplet

droplet_app = CommandGroup(no_args_is_help=True, help="Droplets: add one, pin its host key.")
app.add_typer(droplet_app, name="droplet", rich_help_panel=SET_UP)


@droplet_app.command("add")
def slipway_droplet_add(
    name: NameArgument,
    host: Annotated[str, typer.Option(help="Name or address.")],
    key_file: Annotated[Path, typer.Option(help="The private key, without a passphrase.", exists=True, dir_okay=False)],
    port: Annotated[int, typer.Option(help="SSH port.")] = 22,
    user: Annotated[str, typer.Option(help="Needs the right to use Docker.")] = "root",
    directory: Annotated[str, typer.Option(help="Where releases are kept there.")] = "/opt/slipway",
    yes: YesOption = False,
) -> None:
    """Save a droplet, and pin the host key it shows."""

    def add() -> None:
        from blocks import Droplet

        block = Droplet(host=host, port=port, user=user, private_key=read_key_file(key_file), directory=directory)
        block._block_document_name = name
        _pin(block, name, yes)

    run_callable(add, quiet=True)


@droplet_app.command("pin")
def slipway_droplet_pin(name: NameArgument, yes: YesOption = False) -> None:
    """Ask a droplet for its host key, show the fingerprint, and pin it."""

    def pin() -> None:
        from flows.tasks.runs.blocks import load_droplet

        _pin(load_droplet(name), name, yes)

    run_callable(pin, quiet=True)


def _pin(block: "Droplet", name: str, yes: bool) -> None:
    block.host_key = confirmed_host_key(block, yes)
    block.save(name, overwrite=True)
    tell(f"Saved the droplet {name}. Trying it.")
    tell(f"{block.reach()}.")
    _offer()


def _offer() -> None:
    """Let the forms of the deployments offer it; where that cannot be, its name can be written there all the same."""
    from blocks.errors import OutsideError
    from flows.core.errors import SlipwayError
    from flows.tasks.control.deployments import renew_choices

    try:
        renew_choices()
    except (OutsideError, SlipwayError) as error:
        tell(f"The forms in the Prefect UI do not offer it yet: {error}. They do after: slipway server up")
