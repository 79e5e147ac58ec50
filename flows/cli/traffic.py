"""The commands that move traffic, and those that look before it moves."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.cli.approval import approve
from flows.cli.deploy import deploy_home
from flows.cli.terminal.options import (
    Approval,
    EnvFile,
    Stack,
    Strategy,
    To,
    Verbose,
    Wait,
    known_approval,
    known_strategy,
    show,
)
from flows.cli.terminal.runner import run_flow
from flows.core.gates.verdict import GateResult, Verdict
from flows.core.results import GateReport, Promoted, TrafficMoved, Watched
from flows.core.traffic.approval import short_digest
from flows.core.traffic.promotion_plan import PromotionPlan

PANEL = "Traffic"
Seconds = Annotated[
    float | None, typer.Option("--watch", metavar="SECONDS", min=0, help="How long; default: the setting `watch`.")
]


def add_traffic(app: typer.Typer) -> None:
    """Add these commands to `slipway`."""
    for command in (promote, plan, gates, approve, watch):
        app.command(rich_help_panel=PANEL)(command)
    app.command("switch-back", rich_help_panel=PANEL)(switch_back)
    app.command("deploy-home", rich_help_panel=PANEL)(deploy_home)


def promote(
    stack: Stack = None,
    tag: Annotated[
        str | None,
        typer.Option("--tag", metavar="TAG", help="Put this release on the idle colour first; default: what is there."),
    ] = None,
    to: To = None,
    approval: Approval = None,
    strategy: Strategy = None,
    env_file: EnvFile = None,
    seconds: Seconds = None,
    wait: Wait = 0.0,
    verbose: Verbose = False,
) -> None:
    """Prove the release on the idle colour, send traffic there, and watch it; back by itself if it does not hold."""
    asked, chosen = known_approval(approval), known_strategy(strategy)

    def work() -> Any:
        from flows.promote import promote as flow

        return flow(stack, tag, to, asked, chosen, env_file, seconds, wait)

    show("show_promoted", run_flow(work, verbose))


def plan(stack: Stack = None, to: To = None, verbose: Verbose = False) -> None:
    """Show what a promotion would change, and change nothing."""

    def work() -> Any:
        from flows.plan import plan as flow

        return flow(stack, to)

    show("show_plan", run_flow(work, verbose, quiet=not verbose))


def gates(
    stack: Stack = None,
    colour: Annotated[str | None, typer.Option("--colour", metavar="green|blue", help="Default: the idle one.")] = None,
    window: Annotated[
        float | None,
        typer.Option("--window", metavar="SECONDS", min=0, help="Count requests so long; default: the setting."),
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Read every gate of a colour, and change nothing. Exit 1: one failed; 3: they are inconclusive."""

    def work() -> Any:
        from flows.gates import gates as flow

        return flow(stack, colour, window)

    found = run_flow(work, verbose)
    show("show_gates", found)
    raise typer.Exit({"pass": 0, "fail": 1}.get(found.verdict.value, 3))


def switch_back(
    stack: Stack = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="green|blue", help="Needed when the switch points nowhere, or at both."),
    ] = None,
    even_if_sick: Annotated[bool, typer.Option("--even-if-sick", help="Go there whatever its probes say.")] = False,
    verbose: Verbose = False,
) -> None:
    """Send traffic to the other colour, if it is well: the way back that takes a moment."""

    def work() -> Any:
        from flows.switch_back import switch_back as flow

        return flow(stack, to, even_if_sick)

    show("show_turned", run_flow(work, verbose))


def watch(stack: Stack = None, seconds: Seconds = None, verbose: Verbose = False) -> None:
    """Read the gates of the active colour again for a while; traffic goes to the other one when they fail."""

    def work() -> Any:
        from flows.watch import watch as flow

        return flow(stack, seconds)

    show("show_watched", run_flow(work, verbose))


_VERDICTS = {
    Verdict.PASS: "[green]✓ pass[/green]",
    Verdict.FAIL: "[red]✗ fail[/red]",
    Verdict.INCONCLUSIVE: "[yellow]? inconclusive[/yellow]",
}
_KINDS = {"same": "[dim]same[/dim]", "changed": "[yellow]changed[/yellow]", "new": "[green]new[/green]",
          "gone": "[red]gone[/red]"}  # fmt: skip


def show_plan(console: Console, plan: PromotionPlan) -> None:
    table = _table("service", "change", "old", "new")
    for change in plan.changes:
        table.add_row(change.service, _KINDS[change.kind], short_digest(change.old), short_digest(change.new))
    console.print(table)
    console.print(f"Environment keys that differ: {escape(', '.join(plan.keys)) or 'none'}.")
    for note in plan.notes:
        console.print(f"[yellow]{escape(note)}[/yellow]")
    console.print(f"[bold]{escape(plan.sentence)}[/bold] {escape(plan.client_impact)}")


def show_gates(console: Console, found: GateReport) -> None:
    table = _table("gate", "verdict", "found", "wanted")
    for reading in found.readings:
        table.add_row(reading.gate, _verdict(reading), escape(reading.found), f"[dim]{escape(reading.wanted)}[/dim]")
    console.print(table)
    beyond = max(0.0, found.seconds - found.window)
    console.print(
        f"{found.colour}: {_VERDICTS[found.verdict]} in {found.seconds:.1f} s "
        f"(requests were let come for {found.window:.1f} s, the rest took {beyond:.1f} s)."
    )


def show_promoted(console: Console, promoted: Promoted) -> None:
    if promoted.plan:
        table = _table("service", "change", "old", "new")
        for change in promoted.plan.changes:
            table.add_row(change.service, _KINDS[change.kind], short_digest(change.old), short_digest(change.new))
        console.print(table)
    if promoted.gates:
        show_gates(console, promoted.gates)
    show_turned(console, promoted)
    if promoted.approved_by:
        console.print(f"Approved by {escape(promoted.approved_by)}.")
    kept = f" {promoted.left} is kept warm: slipway switch-back goes there in a moment." if promoted.left else ""
    console.print(f"Watched for {promoted.watched:.0f} s, {promoted.readings} readings.{kept}")
    if promoted.run_url:
        console.print(f"The run in the Prefect UI: {promoted.run_url}", soft_wrap=True)


def show_turned(console: Console, turned: TrafficMoved) -> None:
    away = f", away from {turned.left}" if turned.left else ""
    what = f" (release {turned.tag})" if turned.tag else ""
    console.print(
        f"Traffic of {turned.url} reaches [bold]{turned.colour}[/bold]{what}{away}: turned after "
        f"{turned.turned_after:.2f} s, answering after {turned.seen_after:.2f} s.",
        soft_wrap=True,
    )


def show_watched(console: Console, found: Watched) -> None:
    console.print(
        f"[bold]{found.colour}[/bold] held for {found.seconds:.0f} s: {found.readings} readings, "
        f"{found.failing} failing, {found.inconclusive} inconclusive."
    )


def _verdict(reading: GateResult) -> str:
    return f"{_VERDICTS[reading.verdict]}{' [dim](observed only)[/dim]' if reading.observed else ''}"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
