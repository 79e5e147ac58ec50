"""The commands for droplets and snapshots at DigitalOcean."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.cli.terminal.options import Approval, Stack, Verbose, known_approval, show
from flows.cli.terminal.runner import run_flow
from flows.core.cloud.rehearsal import Rehearsed
from flows.core.cloud.results import Decommissioned, Provisioned, SnapshotResult

PANEL = "DigitalOcean"


def add_cloud(app: typer.Typer) -> None:
    """Add these commands to `slipway`."""
    for command in (snapshot, provision, decommission, rehearse):
        app.command(rich_help_panel=PANEL)(command)


def snapshot(
    droplet: Annotated[str, typer.Argument(metavar="DROPLET")],
    stack: Stack = None,
    power_off: Annotated[bool, typer.Option("--power-off", help="Shut it down meanwhile.")] = False,
    keep: Annotated[int | None, typer.Option(help="How many of ours stay; default: the setting `snapshots`.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would be, and change nothing.")] = False,
    at_digitalocean: Annotated[
        str | None, typer.Option(metavar="NAME", help="The droplet's name there; default: the block's.")
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Take a snapshot of a droplet, named by its release; older ones of ours go."""

    def work() -> Any:
        from flows.snapshot import snapshot as flow

        return flow(droplet, stack, power_off, keep, dry_run, at_digitalocean)

    show("show_snapped", run_flow(work, verbose))


def provision(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    like: Annotated[str, typer.Option(metavar="DROPLET", help="Its size, region, network, tags and key.")],
    image: Annotated[
        str | None, typer.Option(help="A snapshot's id or a distribution's slug; default: the newest snapshot of it.")
    ] = None,
    size: Annotated[str | None, typer.Option(help="Another size.")] = None,
    region: Annotated[str | None, typer.Option(help="Another region.")] = None,
    install_engine: Annotated[
        bool, typer.Option("--install-engine", help="Install Docker where it is missing.")
    ] = False,
    approval: Approval = None,
    verbose: Verbose = False,
) -> None:
    """Make a droplet like another one, and save its block with a host key that was made on it."""

    asked = known_approval(approval)

    def work() -> Any:
        from flows.provision import provision as flow

        return flow(name, like, image, size, region, install_engine, asked)

    show("show_provisioned", run_flow(work, verbose))


def decommission(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    approval: Approval = None,
    keep_block: Annotated[bool, typer.Option("--keep-block", help="Leave its Droplet block.")] = False,
    verbose: Verbose = False,
) -> None:
    """Remove a droplet that `provision` made, after a person said yes to that very one."""

    asked = known_approval(approval) or "always"

    def work() -> Any:
        from flows.decommission import decommission as flow

        return flow(name, asked, keep_block)

    show("show_decommissioned", run_flow(work, verbose))


def rehearse(
    stack: Stack = None,
    even_so: Annotated[bool, typer.Option("--even-so", help="Begin whatever the release records say.")] = False,
    approval: Approval = None,
    verbose: Verbose = False,
) -> None:
    """Play a promotion on a droplet made for it, and report times, cost and every deviation. Nothing of it is left."""

    asked = known_approval(approval)

    def work() -> Any:
        from flows.rehearse import rehearse as flow

        return flow(stack, even_so, asked)

    show("show_rehearsed", run_flow(work, verbose))


def show_snapped(console: Console, snapped: SnapshotResult) -> None:
    """What was taken, what it costs, and which ones went."""
    if snapped.snapshot is None:
        console.print(
            f"Would take [bold]{snapped.name}[/bold] of {snapped.droplet}. {snapped.cost}. Nothing was changed."
        )
    else:
        console.print(
            f"Took [bold]{snapped.name}[/bold] of {snapped.droplet} in {snapped.seconds:.0f} s. {snapped.cost}."
        )
    for one in snapped.removed:
        console.print(f"{'Removed' if snapped.snapshot else 'Would remove'} {one.name} of {one.at}.")


def show_provisioned(console: Console, made: Provisioned) -> None:
    """The new droplet, and what can be done with it now."""
    console.print(f"Droplet [bold]{made.name}[/bold] ({made.id}) is at {made.address}, with {made.engine}.")
    console.print(f"It costs: {made.cost}. Its pinned host key was made on it. In {made.seconds:.0f} s.")
    console.print(f"Next: slipway deploy --droplet {made.name} --tag TAG, or: slipway decommission {made.name}")


def show_decommissioned(console: Console, gone: Decommissioned) -> None:
    """What is gone."""
    if gone.removed:
        console.print(f"Droplet [bold]{gone.name}[/bold] is gone, and costs nothing any more. In {gone.seconds:.0f} s.")
    else:
        console.print(f"There was no droplet [bold]{gone.name}[/bold] any more.")


def show_rehearsed(console: Console, report: Rehearsed) -> None:
    """The report: steps with their times, the load, what it cost, and every deviation."""
    table = Table("step", "seconds", "found", box=None, pad_edge=False)
    for took in report.took:
        table.add_row(took.step, f"{took.seconds:.1f}", escape(took.found))
    if table.row_count:
        console.print(table)
    if report.load:
        load = report.load
        console.print(f"{load.requests} requests, {load.failed} failed, 95th percentile {load.latency:.3f} s.")
    for words in report.deviations:
        console.print(f"[yellow]Deviation: {escape(words)}[/yellow]")
    console.print(f"[bold]{report.sentence}[/bold] Before it: {report.stability.sentence}.")
    if report.skipped:
        console.print("All the same: slipway rehearse --even-so")
