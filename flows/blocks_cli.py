"""`slipway droplet|registry|environment|langfuse|prometheus`: save the blocks that hold credentials, and try them.

Secrets are read from files or asked for, never taken from the command line.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from flows.running import run_flow

droplet_app = typer.Typer(no_args_is_help=True, help="Droplets: add one, pin its host key.")
registry_app = typer.Typer(no_args_is_help=True, help="The container registry.")
environment_app = typer.Typer(no_args_is_help=True, help="What a stack's variables, env files and secret files hold.")
langfuse_app = typer.Typer(no_args_is_help=True, help="Langfuse, where traces are looked for.")
prometheus_app = typer.Typer(no_args_is_help=True, help="Prometheus, where metrics are read.")

Name = Annotated[str, typer.Argument(metavar="NAME")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


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
        from flows.tasks.saved import load_droplet

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


@registry_app.command("set")
def set_registry(
    host: Annotated[str, typer.Option(help="Such as registry.digitalocean.com.")],
    user: Annotated[str, typer.Option(help="User name, or the e-mail address DigitalOcean asks for.")],
    namespace: Annotated[str, typer.Option(help="What stands between host and image name.")] = "",
    single_repository: Annotated[str, typer.Option(help="Keep all images in this one repository.")] = "",
    password_file: Annotated[Path | None, typer.Option(help="Default: asked for, or read from a pipe.")] = None,
    name: Annotated[str, typer.Option(help="Name of the block.")] = "registry",
) -> None:
    """Save the registry and its login. The password is asked for, read from --password-file, or piped in."""

    def work() -> None:
        from blocks import ContainerRegistry

        block = ContainerRegistry(
            registry_url=host,
            username=user,
            password=secret("Password", password_file),
            namespace=namespace,
            layout="single-repository" if single_repository else "repository-per-service",
            repository=single_repository,
        )
        save(block, name)

    run_flow(work, False, quiet=True)


@environment_app.command("set")
def set_environment(
    stack: Annotated[str, typer.Option("--stack", metavar="PATH", help="A compose file or its directory.")] = "",
    env_file: Annotated[Path | None, typer.Option(help="Its variables; default: .env beside the compose file.")] = None,
    name: Annotated[str, typer.Option(help="Name of the block; default: the stack's own.")] = "",
) -> None:
    """Save what the stack's variables, env files and secret files hold, from the files as they are here."""

    def work() -> None:
        from flows.tasks.environment import read_environment

        block, stack_name = read_environment(stack, env_file)
        save(block, name or stack_name)

    run_flow(work, False, quiet=True)


@langfuse_app.command("set")
def set_langfuse(
    url: Annotated[str, typer.Option(help="Such as https://cloud.langfuse.com.")],
    public_key: Annotated[str, typer.Option(help="pk-lf-…")],
    secret_key_file: Annotated[Path | None, typer.Option(help="Default: asked for, or read from a pipe.")] = None,
    name: Annotated[str, typer.Option(help="Name of the block.")] = "langfuse",
) -> None:
    """Save a Langfuse project's keys."""

    def work() -> None:
        from blocks import Langfuse

        save(Langfuse(url=url, public_key=public_key, secret_key=secret("Secret key", secret_key_file)), name)

    run_flow(work, False, quiet=True)


@prometheus_app.command("set")
def set_prometheus(
    url: Annotated[str, typer.Option(help="Such as http://10.0.0.4:9090.")],
    user: Annotated[str, typer.Option(help="For servers behind basic authentication.")] = "",
    password_file: Annotated[Path | None, typer.Option(help="Default: asked for when --user is given.")] = None,
    name: Annotated[str, typer.Option(help="Name of the block.")] = "prometheus",
) -> None:
    """Save a Prometheus server."""

    def work() -> None:
        from blocks import Prometheus

        password = secret("Password", password_file) if user else ""
        save(Prometheus(url=url, username=user, password=password), name)

    run_flow(work, False, quiet=True)


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
    from flows.tasks.saved import saved_names
    from flows.tasks.traffic import KINDS

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
