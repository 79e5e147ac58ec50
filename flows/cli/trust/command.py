"""`slipway provenance`: what an image is, who built it from what, what is in it."""

import json
from typing import Annotated

import typer

from flows.cli.app import FLOWS, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import DropletOption, JsonOption, StackOption, VerboseOption, WideOption
from flows.cli.terminal.runner import run_flow
from flows.cli.trust.summary import provenance_summary


@app.command("provenance", rich_help_panel=FLOWS)
def slipway_provenance(
    what: Annotated[
        str, typer.Argument(metavar="TAG|CONTAINER|DIGEST", help="A release, what runs on a droplet, or an image.")
    ],
    stack: StackOption = None,
    droplet: DropletOption = None,
    packages: Annotated[bool, typer.Option("--packages", help="List all packages.")] = False,
    as_json: JsonOption = False,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Say what an image is, who built it from what, what is in it, and since when it runs here."""
    droplets = [droplet] if droplet else None
    found = run_flow(
        "flows.provenance:provenance", verbose=verbose, quiet=not verbose, what=what, stack=stack, droplets=droplets
    )
    if as_json:
        print(json.dumps([one.as_json() for one in found], indent=2))
        return
    console = SummaryConsole(wide=wide)
    for number, one in enumerate(found):
        if number:
            console.say("")
        provenance_summary(console, one, packages=packages)
