"""`slipway release` and `build-push`, and their summaries."""

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.app import FLOWS, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import (
    ApprovalOption,
    CanaryOption,
    CleanupOption,
    ConfirmOption,
    DropletOption,
    EnvFileOption,
    MirrorOption,
    RefOption,
    ServicesOption,
    StackOption,
    StrategyOption,
    TagOption,
    VerboseOption,
    WaitOption,
    WideOption,
    split_names,
)
from flows.cli.terminal.runner import run_flow
from flows.cli.terminal.tables import SummaryTable, pulled_images, services_table, shown_image
from flows.cli.traffic import show_promoted

if TYPE_CHECKING:
    from flows.core.results import Published, Released


@app.command("release", rich_help_panel=FLOWS)
def slipway_release(
    stack: StackOption = None,
    tag: TagOption = None,
    droplet: DropletOption = None,
    services: ServicesOption = None,
    strategy: StrategyOption = None,
    env_file: EnvFileOption = None,
    mirror_external: MirrorOption = None,
    cleanup_on_failure: CleanupOption = None,
    ref: RefOption = None,
    wait: WaitOption = 0.0,
    promote: Annotated[
        bool, typer.Option("--promote", help="To the idle colour; traffic follows once it has passed the gates.")
    ] = False,
    approval: ApprovalOption = None,
    canary: CanaryOption = None,
    confirm: ConfirmOption = None,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Build the stack once, push it, deploy it by digest and validate it; go back by itself if it is not well."""
    released = run_flow(
        "flows.release:release",
        verbose=verbose,
        asks=True,
        confirms=confirm,
        stack=stack,
        tag=tag,
        droplet=droplet,
        services=split_names(services),
        strategy=strategy,
        env_file=env_file,
        mirror_external=mirror_external,
        cleanup_on_failure=cleanup_on_failure,
        ref=ref,
        wait=wait,
        promote=promote,
        approval=approval,
        canary=canary,
    )
    show_released(SummaryConsole(wide=wide), released)


@app.command("build-push", rich_help_panel=FLOWS)
def slipway_build_push(
    stack: StackOption = None,
    tag: TagOption = None,
    services: ServicesOption = None,
    env_file: EnvFileOption = None,
    mirror_external: MirrorOption = None,
    cleanup_on_failure: CleanupOption = None,
    ref: RefOption = None,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Build the stack's images once, push them, and publish the release beside them."""
    published = run_flow(
        "flows.build_push:build_push",
        verbose=verbose,
        stack=stack,
        tag=tag,
        services=split_names(services),
        env_file=env_file,
        mirror_external=mirror_external,
        cleanup_on_failure=cleanup_on_failure,
        ref=ref,
    )
    show_published(SummaryConsole(wide=wide), published)


def show_published(console: SummaryConsole, published: "Published") -> None:
    """The image of each service, and the release that they are."""
    table = SummaryTable("service", "image")
    for name, reference in sorted(published.release.services.items()):
        table.add_row(name, shown_image(reference, wide=console.wide))
    console.print(table)
    after = f", after {published.previous}" if published.previous else ""
    release = published.release
    console.say(f"Published release [bold]{release.tag}[/bold]{after} in {published.seconds:.1f} s.")
    if published.digest:
        console.say(f"Exactly this one: slipway deploy --tag {release.tag} --digest {published.digest}")


def show_released(console: SummaryConsole, released: "Released") -> None:
    """Image, state and probes of each service; the time of each stage; where to look."""
    if released.promoted:
        console.say(f"build-push took {released.published.seconds:.1f} s.")
        show_promoted(console, released.promoted)
        return
    assert released.deployed and released.validated  # noqa: PT018
    console.print(services_table(console, released.deployed.services, released.validated.outcomes))
    stages = SummaryTable("stage", "seconds")
    for name, stage in (
        ("build-push", released.published),
        ("deploy", released.deployed),
        ("validate", released.validated),
    ):
        stages.add_row(name, f"{stage.seconds:.1f}")
    console.print(stages)
    release = released.published.release
    console.say(
        f"Release [bold]{release.tag}[/bold] of {release.stack} runs on [bold]{released.deployed.droplet}[/bold], "
        f"by digest, validated. {pulled_images(released.deployed)}"
    )
    if released.run_url:
        console.say(f"The run in the Prefect UI: {released.run_url}")
    if released.edge_url:
        console.say(f"The edge: {released.edge_url}")
