"""`slipway registry|environment|langfuse|prometheus set`: save the blocks that hold credentials, and try them.

Secrets are read from files or asked for, never taken from the command line.
"""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.app import SET_UP, app
from flows.cli.setup.saving import CaOption, read_certificate, read_secret, save_block
from flows.cli.terminal.destination import CommandGroup
from flows.cli.terminal.runner import run_callable

registry_app = CommandGroup(no_args_is_help=True, help="The container registry.")
environment_app = CommandGroup(no_args_is_help=True, help="What a stack's variables, env files and secret files hold.")
langfuse_app = CommandGroup(no_args_is_help=True, help="Langfuse, where traces are looked for.")
prometheus_app = CommandGroup(no_args_is_help=True, help="Prometheus, where metrics are read.")
app.add_typer(registry_app, name="registry", rich_help_panel=SET_UP)
app.add_typer(environment_app, name="environment", rich_help_panel=SET_UP)
app.add_typer(langfuse_app, name="langfuse", rich_help_panel=SET_UP)
app.add_typer(prometheus_app, name="prometheus", rich_help_panel=SET_UP)


@registry_app.command("set")
def slipway_registry_set(
    host: Annotated[str, typer.Option(help="Such as registry.digitalocean.com.")],
    user: Annotated[str, typer.Option(help="User name, or the e-mail address DigitalOcean asks for.")],
    namespace: Annotated[str, typer.Option(help="What stands between host and image name.")] = "",
    single_repository: Annotated[str, typer.Option(help="Keep all images in this one repository.")] = "",
    password_file: Annotated[Path | None, typer.Option(help="Default: asked for, or read from a pipe.")] = None,
    pull_user: Annotated[str, typer.Option(help="A user that may only read, for droplets; default: --user.")] = "",
    pull_password_file: Annotated[Path | None, typer.Option(help="Default: asked for, or a second piped line.")] = None,
    ca: CaOption = None,
    name: Annotated[str, typer.Option(help="Name of the block.")] = "registry",
) -> None:
    """Save the registry and its login. The password is asked for, read from --password-file, or piped in.

    Droplets are given the login of --pull-user: give one that cannot push.
    """

    def save() -> None:
        from blocks import ContainerRegistry

        block = ContainerRegistry(
            registry_url=host,
            username=user,
            password=read_secret("Password", password_file),
            pull_username=pull_user,
            pull_password=read_secret("Password of --pull-user", pull_password_file) if pull_user else "",
            namespace=namespace,
            layout="single-repository" if single_repository else "repository-per-service",
            repository=single_repository,
            ca_certificate=read_certificate(ca),
        )
        save_block(block, name)

    run_callable(save, quiet=True)


@environment_app.command("set")
def slipway_environment_set(
    stack: Annotated[str, typer.Option("--stack", metavar="PATH", help="A compose file or its directory.")] = "",
    env_file: Annotated[Path | None, typer.Option(help="Its variables; default: .env beside the compose file.")] = None,
    name: Annotated[str, typer.Option(help="Name of the block; default: as runs call it.")] = "",
) -> None:
    """Save what the stack's variables, env files and secret files hold, from the files as they are here."""

    def save() -> None:
        from flows.settings import Settings
        from flows.tasks.runs.block_names import block_name
        from flows.tasks.stack.environment import read_environment

        block, stack_name = read_environment(stack, env_file)
        save_block(block, name or Settings().environment or block_name(stack_name))

    run_callable(save, quiet=True)


@langfuse_app.command("set")
def slipway_langfuse_set(
    url: Annotated[str, typer.Option(help="Such as https://cloud.langfuse.com.")],
    public_key: Annotated[str, typer.Option(help="pk-lf-…")],
    secret_key_file: Annotated[Path | None, typer.Option(help="Default: asked for, or read from a pipe.")] = None,
    name: Annotated[str, typer.Option(help="Name of the block.")] = "langfuse",
) -> None:
    """Save a Langfuse project's keys."""

    def save() -> None:
        from blocks import Langfuse

        secret_key = read_secret("Secret key", secret_key_file)
        save_block(Langfuse(url=url, public_key=public_key, secret_key=secret_key), name)

    run_callable(save, quiet=True)


@prometheus_app.command("set")
def slipway_prometheus_set(
    url: Annotated[str, typer.Option(help="Such as http://10.0.0.4:9090.")],
    user: Annotated[str, typer.Option(help="For servers behind basic authentication.")] = "",
    password_file: Annotated[Path | None, typer.Option(help="Default: asked for when --user is given.")] = None,
    name: Annotated[str, typer.Option(help="Name of the block.")] = "prometheus",
) -> None:
    """Save a Prometheus server."""

    def save() -> None:
        from blocks import Prometheus

        password = read_secret("Password", password_file) if user else ""
        save_block(Prometheus(url=url, username=user, password=password), name)

    run_callable(save, quiet=True)
