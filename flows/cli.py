"""The `slipway` command: the flows from a terminal."""

import gc
import json
from typing import Annotated, Any

import typer

from flows.account_cli import account_app
from flows.blocks_cli import droplet_app, environment_app, langfuse_app, prometheus_app
from flows.cloud_cli import add_cloud
from flows.options import (
    Approval,
    AsJson,
    Cleanup,
    Droplet,
    EnvFile,
    Mirror,
    NeededTag,
    Ref,
    Services,
    Stack,
    Strategy,
    Tag,
    Verbose,
    Wait,
    known_approval,
    known_strategy,
    show,
    split,
)
from flows.registry_cli import registry_app
from flows.running import leave, run_flow, wide_console
from flows.switch_cli import switch_app
from flows.traffic_cli import add_traffic
from flows.upkeep_cli import add_upkeep

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Build a Docker Compose stack once, deploy it to droplets by digest, validate it.\n\n"
    "Exit codes: 0 done · 1 it failed · 2 refused, nothing was changed · 3 a person said no, or nobody answered · "
    "130 interrupted.",
)
app.add_typer(account_app, name="account", rich_help_panel="Set up")
app.add_typer(droplet_app, name="droplet", rich_help_panel="Set up")
app.add_typer(registry_app, name="registry", rich_help_panel="Set up")
app.add_typer(environment_app, name="environment", rich_help_panel="Set up")
app.add_typer(langfuse_app, name="langfuse", rich_help_panel="Set up")
app.add_typer(prometheus_app, name="prometheus", rich_help_panel="Set up")
app.add_typer(switch_app, name="switch", rich_help_panel="Set up")
add_traffic(app)
add_upkeep(app)
add_cloud(app)


@app.command(rich_help_panel="Flows")
def release(
    stack: Stack = None,
    tag: Tag = None,
    droplet: Droplet = None,
    services: Services = None,
    strategy: Strategy = None,
    env_file: EnvFile = None,
    mirror_external: Mirror = None,
    cleanup_on_failure: Cleanup = None,
    ref: Ref = None,
    wait: Wait = 0.0,
    promote: Annotated[
        bool, typer.Option("--promote", help="To the idle colour; traffic follows once it has passed the gates.")
    ] = False,
    approval: Approval = None,
    verbose: Verbose = False,
) -> None:
    """Build the stack once, push it, deploy it by digest and validate it; go back by itself if it is not well."""

    chosen, asked = known_strategy(strategy), known_approval(approval)

    def work() -> Any:
        from flows.release import release as flow

        given = (stack, tag, droplet, split(services), chosen, env_file, mirror_external, cleanup_on_failure, ref, wait)
        return flow(*given, promote, asked)

    show("show_released", run_flow(work, verbose))


@app.command("build-push", rich_help_panel="Flows")
def build_push(
    stack: Stack = None,
    tag: Tag = None,
    services: Services = None,
    env_file: EnvFile = None,
    mirror_external: Mirror = None,
    cleanup_on_failure: Cleanup = None,
    ref: Ref = None,
    verbose: Verbose = False,
) -> None:
    """Build the stack's images once, push them, and publish the release beside them."""

    def work() -> Any:
        from flows.build_push import build_push as flow

        return flow(stack, tag, split(services), env_file, mirror_external, cleanup_on_failure, ref)

    show("show_published", run_flow(work, verbose))


@app.command(rich_help_panel="Flows")
def deploy(
    tag: NeededTag,
    stack: Stack = None,
    droplet: Droplet = None,
    strategy: Strategy = None,
    env_file: EnvFile = None,
    wait: Wait = 0.0,
    verbose: Verbose = False,
) -> None:
    """Put a published release on a droplet, by digest, and prove that it runs; go back if it does not."""

    chosen = known_strategy(strategy)

    def work() -> Any:
        from flows.deploy import deploy as flow

        return flow(tag, stack, droplet, chosen, env_file, wait)

    show("show_deployed", run_flow(work, verbose))


@app.command(rich_help_panel="Flows")
def validate(stack: Stack = None, droplet: Droplet = None, verbose: Verbose = False) -> None:
    """Probe what runs on a droplet: health, MCP tools, workflows and their traces."""

    def work() -> Any:
        from flows.validate import validate as flow

        return flow(stack, droplet)

    show("show_validated", run_flow(work, verbose))


@app.command(rich_help_panel="Flows")
def status(stack: Stack = None, droplet: Droplet = None, as_json: AsJson = False, verbose: Verbose = False) -> None:
    """Show which release each droplet runs, and how its services are."""

    def work() -> Any:
        from flows.status import status as flow

        return flow(stack, [droplet] if droplet else None)

    found = run_flow(work, verbose, quiet=not verbose)
    if as_json:
        print(json.dumps({"droplets": {name: said.as_json() for name, said in found.items()}}, indent=2))
    else:
        show("show_status", found)


@app.command(rich_help_panel="Set up")
def check(verbose: Verbose = False) -> None:
    """Try every block that was saved: can it be reached, does it take our login?"""

    def work() -> Any:
        from flows.blocks_cli import reach_all

        return reach_all(wide_console())

    if not run_flow(work, verbose, quiet=True):
        raise typer.Exit(1)


def main() -> None:
    """Entry point of the `slipway` command."""
    # Prefect's import makes a hundred thousand lasting objects; looking through them again and again takes 0.2 s.
    gc.set_threshold(100_000, 20, 20)
    try:
        app()
    except SystemExit as end:
        leave(end.code if isinstance(end.code, int) else int(end.code is not None))


if __name__ == "__main__":
    main()
