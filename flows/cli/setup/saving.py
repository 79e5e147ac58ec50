"""Saving a block: read its secret, save it, try it."""

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from flows.cli.terminal.console import SummaryConsole, tell

if TYPE_CHECKING:
    from blocks import DigitalOceanAccount, Droplet

NameArgument = Annotated[str, typer.Argument(metavar="NAME")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
CaOption = Annotated[
    Path | None,
    typer.Option(
        "--ca", metavar="FILE", exists=True, dir_okay=False,
        help="The certificate (PEM) of an authority of your own that signed the registry's.",
    ),
]  # fmt: skip


def reach_all(console: SummaryConsole) -> bool:
    """Try every saved block of ours and say what each answered. Returns whether all of them could be reached."""
    from blocks import (
        ContainerRegistry,
        DigitalOceanAccount,
        DocrRegistry,
        Droplet,
        Langfuse,
        Prometheus,
        SigningKey,
        StackEnvironment,
        TrustedKeys,
    )
    from blocks.errors import OutsideError
    from flows.tasks.runs.blocks import saved_names
    from flows.tasks.traffic.switch import KINDS

    good = True
    ours = (DigitalOceanAccount, Droplet, ContainerRegistry, DocrRegistry, StackEnvironment, Langfuse, Prometheus)
    kinds: tuple[type[Any], ...] = (*ours, SigningKey, TrustedKeys, *KINDS)
    for kind in kinds:
        for name in saved_names(kind):
            try:
                console.say(f"[green]✓[/green] {escape(kind.load(name).reach())}")
            except OutsideError as error:
                good = False
                console.say(f"[red]✗[/red] {escape(str(error))}")
    return good


def save_block(block: Any, name: str) -> None:
    """Save a block, and try it."""
    block.save(name, overwrite=True)
    tell(f"Saved {name}. Trying it.")
    tell(f"{block.reach()}.")


def read_secret(what: str, file: Path | None) -> str:
    """A secret from a file, from a pipe, or asked for."""
    if file is not None:
        return file.read_text().strip()
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip(os.linesep)
    return str(typer.prompt(what, hide_input=True))


def read_key_file(file: Path) -> str:
    """A private key from its file, which its owner alone may read, as for ssh. A pipe has no others.

    Raises:
        KeyFileOpen
    """
    from flows.core.errors import KeyFileOpen

    found = file.stat()
    if stat.S_ISREG(found.st_mode) and found.st_mode & 0o077:
        raise KeyFileOpen(
            f"{file} can be read by others (mode {stat.S_IMODE(found.st_mode):04o}); nothing was saved. "
            f"Close it: chmod 600 {file}. If somebody may have read it, make a new key"
        )
    return file.read_text()


def confirm(question: str, otherwise: str = "Nothing was changed.") -> None:
    """Ask; the command ends where the answer is no, or nobody answers."""
    try:
        agreed = typer.confirm(question)
    except typer.Abort:
        agreed = False
    if not agreed:
        tell(otherwise)
        raise typer.Exit(2)


def confirmed_host_key(block: "Droplet", yes: bool) -> str:
    """The host key that a droplet shows, as `TYPE BASE64`, once somebody has confirmed it."""
    key, fingerprint = block.seen_host_key()
    tell(f"{block.address} shows {key.split()[0]} {fingerprint}.")
    tell("Compare it with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the droplet's own console.")
    if not yes:
        confirm("Pin this key?", "Nothing was saved.")
    return key


def read_certificate(file: Path | None) -> str:
    """The text of a certificate file; empty where there is none."""
    return file.read_text(errors="replace") if file else ""


def load_named_account(name: str = "") -> "DigitalOceanAccount":
    """The saved DigitalOcean account of this name; '' for that of the setting `account`."""
    from flows.settings import Settings
    from flows.tasks.runs.blocks import load_account

    settings = Settings()
    return load_account(settings.model_copy(update={"account": name}) if name else settings)
