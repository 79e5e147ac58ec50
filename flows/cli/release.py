"""`slipway release` and `build-push`, and their summaries."""

from typing import Annotated, Any

import typer
from rich.console import Console

from flows.cli.main import app
from flows.cli.terminal.options import (
    Approval,
    Cleanup,
    Droplet,
    EnvFile,
    Mirror,
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
from flows.cli.terminal.runner import run_flow
from flows.cli.terminal.tables import _pulled, _services, _table
from flows.cli.traffic import show_promoted
from flows.core.results import Published, Released


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


def show_published(console: Console, published: Published) -> None:
    table = _table("service", "image")
    for name, reference in sorted(published.release.services.items()):
        table.add_row(name, reference)
    console.print(table)
    after = f", after {published.previous}" if published.previous else ""
    console.print(f"Published release [bold]{published.release.tag}[/bold]{after} in {published.seconds:.1f} s.")


def show_released(console: Console, released: Released) -> None:
    """The summary: per service digest, state and probes; per stage its time; where to look."""
    if released.promoted:
        console.print(f"build-push took {released.published.seconds:.1f} s.")
        show_promoted(console, released.promoted)
        return
    assert released.deployed and released.validated  # noqa: PT018
    console.print(_services(released.deployed.services, released.validated.outcomes))
    stages = _table("stage", "seconds")
    for name, stage in (
        ("build-push", released.published),
        ("deploy", released.deployed),
        ("validate", released.validated),
    ):
        stages.add_row(name, f"{stage.seconds:.1f}")
    console.print(stages)
    release = released.published.release
    console.print(
        f"Release [bold]{release.tag}[/bold] of {release.stack} runs on [bold]{released.deployed.droplet}[/bold], "
        f"by digest, validated. {_pulled(released.deployed)}"
    )
    if released.run_url:
        console.print(f"The run in the Prefect UI: {released.run_url}", soft_wrap=True)
    if released.edge_url:
        console.print(f"The edge: {released.edge_url}", soft_wrap=True)
