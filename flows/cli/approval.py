"""`slipway approve`: answer a run that waits for a person; the question, and what became of the answer."""

import os
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from flows.cli.app import TRAFFIC, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import VerboseOption
from flows.cli.terminal.runner import run_callable

if TYPE_CHECKING:
    from flows.tasks.traffic.approval import ApprovalAnswer
    from flows.tasks.traffic.approval_answers import Waiting


@app.command("approve", rich_help_panel=TRAFFIC)
def slipway_approve(
    run: Annotated[str | None, typer.Argument(help="Name or id of the run; default: the one that waits.")] = None,
    reject: Annotated[bool, typer.Option("--reject", help="Say no.")] = False,
    hold: Annotated[bool, typer.Option("--hold", help="Not yet: be asked again.")] = False,
    name: Annotated[str | None, typer.Option("--name", help="Who says so; default: the user of this terminal.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; default: asked for.")] = None,
    verbose: VerboseOption = False,
) -> None:
    """Answer a run that waits for a person. Without a run: show those that wait."""
    if reject and hold:
        raise typer.BadParameter("cannot go with --hold: one answer is given", param_hint="--reject")
    decision = "reject" if reject else "hold" if hold else "approve"
    console = SummaryConsole()
    waiting = run_callable(lambda: _find_waiting(run), verbose=verbose, quiet=True)
    show_waiting_run(console, waiting)
    who = name or os.environ.get("USER") or ""
    why = reason if reason is not None else str(typer.prompt("Reason"))
    answer = run_callable(lambda: _give(waiting, decision, who, why), verbose=verbose, quiet=True)
    show_given_answer(console, waiting, answer)


def _find_waiting(run: str | None) -> "Waiting":
    from flows.tasks.traffic.approval_answers import find_waiting

    return find_waiting(run)


def _give(waiting: "Waiting", decision: str, name: str, reason: str) -> "ApprovalAnswer":
    from flows.tasks.traffic.approval_answers import give

    return give(waiting, decision, name, reason)[1]


def show_waiting_run(console: SummaryConsole, waiting: "Waiting") -> None:
    """The run that waits, and its question."""
    from rich.markdown import Markdown  # a third of the time of `slipway --help`

    console.say(f"[bold]{escape(waiting.name)}[/bold] waits for an answer:")
    console.print(Markdown(waiting.question))


def show_given_answer(console: SummaryConsole, waiting: "Waiting", answer: "ApprovalAnswer") -> None:
    """What was answered, by whom, and why."""
    console.say(f"{escape(waiting.name)}: [bold]{answer.decision}[/bold], by {escape(answer.words)}.")
