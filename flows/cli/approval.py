"""`slipway approve`: answer a run that waits for a person."""

import os
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape

from flows.cli.terminal.options import (
    Verbose,
    show,
)
from flows.cli.terminal.runner import run_flow


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
        from flows.tasks.traffic.approval_answers import find_waiting

        return find_waiting(run)

    waiting = run_flow(find, verbose, quiet=True)
    show("show_waiting", waiting)
    who = name or os.environ.get("USER") or ""
    why = reason if reason is not None else str(typer.prompt("Reason"))

    def work() -> Any:
        from flows.tasks.traffic.approval_answers import give

        return give(waiting, decision, who, why)

    show("show_answered", run_flow(work, verbose, quiet=True))


def show_waiting(console: Console, waiting: object) -> None:
    console.print(f"[bold]{escape(str(getattr(waiting, 'name', '')))}[/bold] waits for an answer:")
    console.print(Markdown(str(getattr(waiting, "question", ""))))


def show_answered(console: Console, answered: tuple[object, object]) -> None:
    waiting, answer = answered
    console.print(
        f"{escape(str(getattr(waiting, 'name', '')))}: [bold]{getattr(answer, 'decision', '')}[/bold], "
        f"by {escape(str(getattr(answer, 'words', '')))}."
    )
