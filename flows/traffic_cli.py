"""The commands that move traffic, and those that look before it moves."""

import os
from typing import Annotated, Any

import typer

from flows.options import (
    Approval,
    EnvFile,
    NeededTag,
    Stack,
    Strategy,
    To,
    Verbose,
    Wait,
    known_approval,
    known_strategy,
    show,
)
from flows.running import run_flow

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


def approve(
    run: Annotated[str | None, typer.Argument(help="Name or id of the run; default: the one that waits.")] = None,
    reject: Annotated[bool, typer.Option("--reject", help="Say no.")] = False,
    hold: Annotated[bool, typer.Option("--hold", help="Not yet: be asked again.")] = False,
    name: Annotated[str | None, typer.Option("--name", help="Who says so; default: the user of this terminal.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; default: asked for.")] = None,
    verbose: Verbose = False,
) -> None:
    """Answer a run that waits for a person. Without a run: show those that wait."""
    if reject and hold:
        raise typer.BadParameter("cannot go with --hold: one answer is given", param_hint="--reject")
    decision = "reject" if reject else "hold" if hold else "approve"

    def find() -> Any:
        from flows.tasks.answers import find_waiting

        return find_waiting(run)

    waiting = run_flow(find, verbose, quiet=True)
    show("show_waiting", waiting)
    who = name or os.environ.get("USER") or ""
    why = reason if reason is not None else str(typer.prompt("Reason"))

    def work() -> Any:
        from flows.tasks.answers import give

        return give(waiting, decision, who, why)

    show("show_answered", run_flow(work, verbose, quiet=True))
