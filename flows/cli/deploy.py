"""`slipway deploy`, `validate`, `status` and `deploy-home`, and their summaries."""

import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from flows.cli.main import app
from flows.cli.terminal.options import (
    Approval,
    AsJson,
    Droplet,
    EnvFile,
    NeededTag,
    Stack,
    Strategy,
    Verbose,
    Wait,
    known_approval,
    known_strategy,
    show,
)
from flows.cli.terminal.runner import run_flow
from flows.cli.terminal.tables import _MARKS, _pulled, _services, _table
from flows.core.results import (
    Deployed,
    DropletStatus,
    Validated,
)


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


def show_deployed(console: Console, deployed: Deployed) -> None:
    console.print(_services(deployed.services, ()))
    console.print(
        f"Release [bold]{deployed.release.tag}[/bold] runs on [bold]{deployed.droplet}[/bold], by digest. "
        f"{_pulled(deployed)} In {deployed.seconds:.1f} s."
    )


def show_validated(console: Console, validated: Validated) -> None:
    table = _table("", "service", "probe", "found")
    for outcome in validated.outcomes:
        table.add_row(_MARKS[outcome.mark], outcome.service, outcome.phase.value, escape(outcome.detail))
    console.print(table)
    passed = sum(outcome.passed for outcome in validated.outcomes)
    console.print(
        f"{passed} of {len(validated.outcomes)} probes passed for release [bold]{validated.tag}[/bold] "
        f"on [bold]{validated.droplet}[/bold] in {validated.seconds:.1f} s."
    )


def show_status(console: Console, found: Mapping[str, DropletStatus]) -> None:
    for name, said in found.items():
        active = {True: " · [green]active[/green]", False: " · idle", None: ""}[said.active]
        active = " · [cyan]data home[/cyan]" if said.home else active
        record = f" · {said.record.outcome.value}, {said.record.kind} {said.record.number}" if said.record else ""
        console.print(f"[bold]{name}[/bold] · release {said.release or 'none'}{active}[dim]{record}[/dim]")
        if said.record:
            console.print(f"  [dim]since {said.record.began[:19].replace('T', ' ')} UTC, by {said.record.run.by}[/dim]")
        if said.holder:
            console.print(f"  [yellow]being changed by {escape(said.holder)}[/yellow]", highlight=False)
        if said.trouble:
            console.print(f"  [red]{escape(said.trouble)}[/red]", highlight=False)
        if said.services:
            console.print(_services(said.services, ()))
    if not found:
        console.print("No droplets are known. Add one: slipway droplet add NAME --host ADDRESS --key-file PATH")


def deploy_home(
    tag: NeededTag,
    stack: Stack = None,
    approval: Approval = "always",
    strategy: Strategy = None,
    env_file: EnvFile = None,
    wait: Wait = 0.0,
    verbose: Verbose = False,
) -> None:
    """Put what keeps state on the data home, after a person said yes; never part of a switch."""
    asked, chosen = known_approval(approval), known_strategy(strategy)

    def work() -> Any:
        from flows.deploy_home import deploy_home as flow

        return flow(tag, stack, asked, chosen, env_file, wait)

    show("show_deployed", run_flow(work, verbose))
