"""`slipway deploy`, `validate`, `status` and `deploy-home`, and their summaries."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.markup import escape

from flows.cli.app import FLOWS, TRAFFIC, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import (
    ApprovalOption,
    DigestOption,
    DropletOption,
    EnvFileOption,
    JsonOption,
    NeededTagOption,
    StackOption,
    StrategyOption,
    VerboseOption,
    WaitOption,
    WideOption,
)
from flows.cli.terminal.runner import run_flow
from flows.cli.terminal.tables import SummaryTable, marked, pulled_images, services_table

if TYPE_CHECKING:
    from flows.core.results import Deployed, DropletStatus, Validated


@app.command("deploy", rich_help_panel=FLOWS)
def slipway_deploy(
    tag: NeededTagOption,
    digest: DigestOption = None,
    stack: StackOption = None,
    droplet: DropletOption = None,
    strategy: StrategyOption = None,
    env_file: EnvFileOption = None,
    wait: WaitOption = 0.0,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Put a published release on a droplet, by digest, and prove that it runs; go back if it does not."""
    deployed = run_flow(
        "flows.deploy:deploy",
        verbose=verbose,
        tag=tag,
        digest=digest,
        stack=stack,
        droplet=droplet,
        strategy=strategy,
        env_file=env_file,
        wait=wait,
    )
    show_deployed(SummaryConsole(wide=wide), deployed)


@app.command("validate", rich_help_panel=FLOWS)
def slipway_validate(
    stack: StackOption = None, droplet: DropletOption = None, wide: WideOption = False, verbose: VerboseOption = False
) -> None:
    """Probe what runs on a droplet: health, MCP tools, workflows and their traces."""
    validated = run_flow("flows.validate:validate", verbose=verbose, stack=stack, droplet=droplet)
    show_validated(SummaryConsole(wide=wide), validated)


@app.command("status", rich_help_panel=FLOWS)
def slipway_status(
    stack: StackOption = None,
    droplet: DropletOption = None,
    as_json: JsonOption = False,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Show which release each droplet runs, and how its services are."""
    droplets = [droplet] if droplet else None
    found = run_flow("flows.status:status", verbose=verbose, quiet=not verbose, stack=stack, droplets=droplets)
    if as_json:
        print(json.dumps({"droplets": {name: status.as_json() for name, status in found.items()}}, indent=2))
    else:
        show_status(SummaryConsole(wide=wide), found)


@app.command("deploy-home", rich_help_panel=TRAFFIC)
def slipway_deploy_home(
    tag: NeededTagOption,
    digest: DigestOption = None,
    stack: StackOption = None,
    approval: ApprovalOption = "always",
    strategy: StrategyOption = None,
    env_file: EnvFileOption = None,
    wait: WaitOption = 0.0,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Put what keeps state on the data home, after a person said yes; never part of a switch."""
    deployed = run_flow(
        "flows.deploy_home:deploy_home",
        verbose=verbose,
        tag=tag,
        digest=digest,
        stack=stack,
        approval=approval,
        strategy=strategy,
        env_file=env_file,
        wait=wait,
    )
    show_deployed(SummaryConsole(wide=wide), deployed)


def show_deployed(console: SummaryConsole, deployed: "Deployed") -> None:
    """State and image of each service, and what had to be pulled."""
    console.print(services_table(console, deployed.services))
    console.say(
        f"Release [bold]{escape(deployed.release.tag)}[/bold] runs on [bold]{deployed.droplet}[/bold], by digest. "
        f"{pulled_images(deployed)} In {deployed.seconds:.1f} s."
    )


def show_validated(console: SummaryConsole, validated: "Validated") -> None:
    """What each probe found."""
    table = SummaryTable("", "service", "probe", "found", free_text=["found"])
    for outcome in validated.outcomes:
        table.add_row(marked(outcome.mark), outcome.name, outcome.phase.value, outcome.detail)
    console.print(table)
    passed = sum(outcome.passed for outcome in validated.outcomes)
    console.say(
        f"{passed} of {len(validated.outcomes)} probes passed for release [bold]{escape(validated.tag)}[/bold] "
        f"on [bold]{validated.droplet}[/bold] in {validated.seconds:.1f} s."
    )


def show_status(console: SummaryConsole, found: Mapping[str, "DropletStatus"]) -> None:
    """Droplet by droplet: its release, its colour's part in traffic, who changes it, and its services."""
    for name, status in found.items():
        active = {True: " · [green]active[/green]", False: " · idle", None: ""}[status.active]
        active = " · [cyan]data home[/cyan]" if status.home else active
        active += " · [cyan]asleep[/cyan]" if status.asleep else ""
        active += f" · [yellow]canary: {status.share} % of the clients[/yellow]" if status.share is not None else ""
        record = status.record
        last = f" · {record.outcome.value}, {record.kind} {record.number}" if record else ""
        console.say(f"[bold]{name}[/bold] · release {escape(status.release or 'none')}{active}[dim]{last}[/dim]")
        if record:
            by = f", by {escape(record.run.by)}" if record.run.by else ""
            console.say(f"  [dim]since {escape(record.began[:19].replace('T', ' '))} UTC{by}[/dim]")
        if status.holder:
            console.say(f"  [yellow]being changed by {escape(status.holder)}[/yellow]")
        if status.trouble:
            console.say(f"  [red]{escape(status.trouble)}[/red]")
        if status.services:
            console.print(services_table(console, status.services))
    if not found:
        console.say("No droplets are known. Add one: slipway droplet add NAME --host ADDRESS --key-file PATH")
