"""The `slipway` command: the flows from a terminal."""

import gc
import json
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from flows.blocks_cli import droplet_app, environment_app, langfuse_app, prometheus_app, registry_app
from flows.running import leave, run_flow, wide_console

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Build a Docker Compose stack once, deploy it to droplets by digest, validate it.\n\n"
    "Exit codes: 0 done · 1 it failed · 2 refused, nothing was changed · 130 interrupted.",
)
app.add_typer(droplet_app, name="droplet", rich_help_panel="Set up")
app.add_typer(registry_app, name="registry", rich_help_panel="Set up")
app.add_typer(environment_app, name="environment", rich_help_panel="Set up")
app.add_typer(langfuse_app, name="langfuse", rich_help_panel="Set up")
app.add_typer(prometheus_app, name="prometheus", rich_help_panel="Set up")

T = TypeVar("T")
Stack = Annotated[
    str | None,
    typer.Option("--stack", metavar="PATH", help="A compose file or its directory; default: the setting `stack`."),
]
Droplet = Annotated[
    str | None,
    typer.Option("--droplet", metavar="NAME", help="A Droplet block; default: the setting `droplet`."),
]
Tag = Annotated[
    str | None, typer.Option("--tag", metavar="TAG", help="Default: the short git commit of the stack's checkout.")
]
NeededTag = Annotated[str, typer.Option("--tag", metavar="TAG", help="The tag of a published release.")]
Services = Annotated[
    str | None,
    typer.Option("--services", metavar="A,B", help="Build and push only these; the others keep their newest images."),
]
EnvFile = Annotated[
    str | None,
    typer.Option("--env-file", metavar="PATH", help="Variables over those of the stack's environment block."),
]
Strategy = Annotated[
    str | None, typer.Option("--strategy", metavar="rolling|prefetch|recreate", help="How services are replaced.")
]
Mirror = Annotated[
    bool | None,
    typer.Option("--mirror-external/--no-mirror-external", help="Copy images from elsewhere into the registry."),
]
Cleanup = Annotated[
    bool | None,
    typer.Option(
        "--cleanup-on-failure/--no-cleanup-on-failure",
        help="Prune dangling layers after a failed build or push; default: on when CI is set.",
    ),
]
Ref = Annotated[
    str | None,
    typer.Option("--ref", metavar="COMMIT", help="Build this commit or branch, not the checkout as it lies there."),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show every line of the run's log.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


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
    verbose: Verbose = False,
) -> None:
    """Build the stack once, push it, deploy it by digest and validate it."""

    chosen = _strategy(strategy)

    def work() -> Any:
        from flows.release import release as flow

        return flow(stack, tag, droplet, _list(services), chosen, env_file, mirror_external, cleanup_on_failure, ref)

    _show("show_released", run_flow(work, verbose))


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

        return flow(stack, tag, _list(services), env_file, mirror_external, cleanup_on_failure, ref)

    _show("show_published", run_flow(work, verbose))


@app.command(rich_help_panel="Flows")
def deploy(
    tag: NeededTag,
    stack: Stack = None,
    droplet: Droplet = None,
    strategy: Strategy = None,
    env_file: EnvFile = None,
    verbose: Verbose = False,
) -> None:
    """Put a published release on a droplet, by digest, and prove that it runs."""

    chosen = _strategy(strategy)

    def work() -> Any:
        from flows.deploy import deploy as flow

        return flow(tag, stack, droplet, chosen, env_file)

    _show("show_deployed", run_flow(work, verbose))


@app.command(rich_help_panel="Flows")
def validate(stack: Stack = None, droplet: Droplet = None, verbose: Verbose = False) -> None:
    """Probe what runs on a droplet: health, MCP tools, workflows and their traces."""

    def work() -> Any:
        from flows.validate import validate as flow

        return flow(stack, droplet)

    _show("show_validated", run_flow(work, verbose))


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
        _show("show_status", found)


@app.command(rich_help_panel="Set up")
def check(verbose: Verbose = False) -> None:
    """Try every block that was saved: can it be reached, does it take our login?"""

    def work() -> Any:
        from flows.blocks_cli import reach_all

        return reach_all(wide_console())

    if not run_flow(work, verbose, quiet=True):
        raise typer.Exit(1)


def _show(name: str, result: Any) -> None:
    import flows.terminal

    show: Callable[[Console, Any], None] = getattr(flows.terminal, name)
    show(wide_console(), result)


def _list(names: str | None) -> list[str] | None:
    return [name.strip() for name in names.split(",") if name.strip()] if names else None


def _strategy(name: str | None) -> Any:
    known = ("rolling", "prefetch", "recreate")
    if name is not None and name not in known:
        raise typer.BadParameter(f"{name} is none of {', '.join(known)}", param_hint="--strategy")
    return name


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
