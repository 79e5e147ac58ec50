"""`slipway snapshot`, `provision`, `decommission` and `rehearse`, and their summaries: droplets at DigitalOcean."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from flows.cli.app import DIGITALOCEAN, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import ApprovalOption, StackOption, VerboseOption, WideOption
from flows.cli.terminal.runner import run_flow
from flows.cli.terminal.tables import SummaryTable

if TYPE_CHECKING:
    from flows.core.cloud.rehearsal import Rehearsed
    from flows.core.cloud.results import Decommissioned, Provisioned, SnapshotResult


@app.command("snapshot", rich_help_panel=DIGITALOCEAN)
def slipway_snapshot(
    droplet: Annotated[str, typer.Argument(metavar="DROPLET")],
    stack: StackOption = None,
    power_off: Annotated[bool, typer.Option("--power-off", help="Shut it down meanwhile.")] = False,
    keep: Annotated[int | None, typer.Option(help="How many of ours stay; default: the setting `snapshots`.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would be, and change nothing.")] = False,
    at_digitalocean: Annotated[
        str | None, typer.Option(metavar="NAME", help="The droplet's name there; default: the block's.")
    ] = None,
    verbose: VerboseOption = False,
) -> None:
    """Take a snapshot of a droplet, named by its release; older ones of ours go."""
    result = run_flow(
        "flows.snapshot:snapshot",
        verbose=verbose,
        droplet=droplet,
        stack=stack,
        power_off=power_off,
        keep=keep,
        dry_run=dry_run,
        at_digitalocean=at_digitalocean,
    )
    show_snapshot(SummaryConsole(), result)


@app.command("provision", rich_help_panel=DIGITALOCEAN)
def slipway_provision(
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
    approval: ApprovalOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Make a droplet like another one, and save its block with a host key that was made on it."""
    provisioned = run_flow(
        "flows.provision:provision",
        verbose=verbose,
        name=name,
        like=like,
        image=image,
        size=size,
        region=region,
        install_engine=install_engine,
        approval=approval,
    )
    show_provisioned(SummaryConsole(), provisioned)


@app.command("decommission", rich_help_panel=DIGITALOCEAN)
def slipway_decommission(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    approval: ApprovalOption = "always",
    keep_block: Annotated[bool, typer.Option("--keep-block", help="Leave its Droplet block.")] = False,
    verbose: VerboseOption = False,
) -> None:
    """Remove a droplet that `provision` made, after a person said yes to that very one."""
    gone = run_flow(
        "flows.decommission:decommission", verbose=verbose, name=name, approval=approval, keep_block=keep_block
    )
    show_decommissioned(SummaryConsole(), gone)


@app.command("rehearse", rich_help_panel=DIGITALOCEAN)
def slipway_rehearse(
    stack: StackOption = None,
    force: Annotated[bool, typer.Option("--force", help="Begin whatever the release records say.")] = False,
    even_so: Annotated[bool, typer.Option("--even-so", hidden=True)] = False,  # until version 0.3
    approval: ApprovalOption = None,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Play a promotion on a droplet made for it, and report times, cost and every deviation. Nothing of it is left."""
    report = run_flow(
        "flows.rehearse:rehearse", verbose=verbose, stack=stack, force=force or even_so, approval=approval
    )
    show_rehearsed(SummaryConsole(wide=wide), report)


def show_snapshot(console: SummaryConsole, result: "SnapshotResult") -> None:
    """What was taken, what it costs, and which ones went."""
    name, droplet = escape(result.name), escape(result.droplet)
    if result.snapshot is None:
        console.say(f"Would take [bold]{name}[/bold] of {droplet}. {result.cost}. Nothing was changed.")
    else:
        console.say(f"Took [bold]{name}[/bold] of {droplet} in {result.seconds:.0f} s. {result.cost}.")
    for one in result.removed:
        console.say(f"{'Removed' if result.snapshot else 'Would remove'} {escape(one.name)} of {escape(one.at)}.")


def show_provisioned(console: SummaryConsole, made: "Provisioned") -> None:
    """The new droplet, and what can be done with it now."""
    name, address, engine = escape(made.name), escape(made.address), escape(made.engine)
    console.say(f"Droplet [bold]{name}[/bold] ({made.id}) is at {address}, with {engine}.")
    console.say(f"It costs: {made.cost}. Its pinned host key was made on it. In {made.seconds:.0f} s.")
    console.say(f"Next: slipway deploy --droplet {name} --tag TAG, or: slipway decommission {name}")


def show_decommissioned(console: SummaryConsole, gone: "Decommissioned") -> None:
    """What is gone."""
    if gone.removed:
        console.say(
            f"Droplet [bold]{escape(gone.name)}[/bold] is gone, and costs nothing any more. In {gone.seconds:.0f} s."
        )
    else:
        console.say(f"There was no droplet [bold]{escape(gone.name)}[/bold] any more.")


def show_rehearsed(console: SummaryConsole, report: "Rehearsed") -> None:
    """The report: steps with their times, the load, what it cost, and every deviation."""
    table = SummaryTable("step", "seconds", "found", free_text=["found"])
    for timing in report.took:
        table.add_row(timing.step, f"{timing.seconds:.1f}", timing.found)
    if table.row_count:
        console.print(table)
    if report.load:
        load = report.load
        console.say(f"{load.requests} requests, {load.failed} failed, 95th percentile {load.latency:.3f} s.")
    for words in report.deviations:
        console.say(f"[yellow]Deviation: {escape(words)}[/yellow]")
    console.say(f"[bold]{report.sentence}[/bold] Before it: {report.stability.sentence}.")
    if report.skipped:
        console.say("All the same: slipway rehearse --force")
