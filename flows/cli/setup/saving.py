"""Saving a block: read its secret, save it, try it."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

Name = Annotated[str, typer.Argument(metavar="NAME")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def reach_all(console: Console) -> bool:
    """Try every saved block of ours and say what each answered. Returns whether all of them could be reached."""
    from blocks import (
        ContainerRegistry,
        DigitalOceanAccount,
        DocrRegistry,
        Droplet,
        Langfuse,
        Prometheus,
        StackEnvironment,
    )
    from blocks.errors import OutsideError
    from flows.tasks.runs.blocks import saved_names
    from flows.tasks.traffic.switch import KINDS

    good = True
    kinds = (DigitalOceanAccount, Droplet, ContainerRegistry, DocrRegistry, StackEnvironment, Langfuse, Prometheus)
    for kind in (*kinds, *KINDS):
        for name in saved_names(kind):
            try:
                console.print(f"[green]✓[/green] {kind.load(name).reach()}", soft_wrap=True, highlight=False)
            except OutsideError as error:
                good = False
                console.print(f"[red]✗[/red] {error}", soft_wrap=True, highlight=False, markup=True)
    return good


def save(block: Any, name: str) -> None:
    """Save a block, and try it."""
    block.save(name, overwrite=True)
    print(f"Saved {name}. Trying it.")
    print(f"{block.reach()}.")


def secret(what: str, file: Path | None) -> str:
    """A secret from a file, from a pipe, or asked for."""
    if file is not None:
        return file.read_text().strip()
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip(os.linesep)
    return str(typer.prompt(what, hide_input=True))
