"""`slipway approve`: answer a run that waits for a person; the question, and what became of the answer."""

import json
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.markup import escape

from flows.cli.app import TRAFFIC, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import JsonOption
from flows.cli.terminal.runner import run_without_prefect

if TYPE_CHECKING:
    from flows.api.approvals import PersonsAnswer, Waiting
    from flows.api.client import PrefectApi

T = TypeVar("T")


@app.command("approve", rich_help_panel=TRAFFIC)
def slipway_approve(
    run: Annotated[str | None, typer.Argument(help="Name or id of the run; default: the one that waits.")] = None,
    reject: Annotated[bool, typer.Option("--reject", help="Say no.")] = False,
    hold: Annotated[bool, typer.Option("--hold", help="Not yet: be asked again.")] = False,
    name: Annotated[str | None, typer.Option("--name", help="Who says so; default: the user of this terminal.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; default: asked for.")] = None,
    only_list: Annotated[bool, typer.Option("--list", help="Show every run that waits, and answer none.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Answer a run that waits for a person. --list shows those that wait."""
    if reject and hold:
        raise typer.BadParameter("cannot go with --hold: one answer is given", param_hint="--reject")
    if as_json and not only_list:
        raise typer.BadParameter("goes with --list", param_hint="--json")
    console = SummaryConsole()
    if only_list:
        found = _ask(_list)
        if as_json:
            print(json.dumps([{"id": str(one.id), "name": one.name, "question": one.question} for one in found]))
        else:
            show_waiting_runs(console, found)
        return
    decision = "reject" if reject else "hold" if hold else "approve"
    waiting = _ask(lambda api: _find(api, run))
    show_waiting_run(console, waiting)
    who = name or os.environ.get("USER") or ""
    why = reason if reason is not None else str(typer.prompt("Reason"))
    answer = _ask(lambda api: _give(api, waiting, decision, who, why))
    show_given_answer(console, waiting, answer)


def _ask(work: "Callable[[PrefectApi], T]") -> T:
    def call() -> T:
        from flows.api.client import PrefectApi

        with PrefectApi() as api:
            return work(api)

    return run_without_prefect(call, settings=False)


def _list(api: "PrefectApi") -> "list[Waiting]":
    from flows.api.approvals import list_waiting

    return list_waiting(api)


def _find(api: "PrefectApi", run: str | None) -> "Waiting":
    from flows.api.approvals import find_waiting

    return find_waiting(api, run)


def _give(api: "PrefectApi", waiting: "Waiting", decision: str, name: str, reason: str) -> "PersonsAnswer":
    from flows.api.approvals import give_answer

    return give_answer(api, waiting, decision, name, reason)


def show_waiting_runs(console: SummaryConsole, found: "Sequence[Waiting]") -> None:
    """Every run that waits, and its question."""
    for waiting in found:
        show_waiting_run(console, waiting)
    if not found:
        console.say("No run waits for an answer.")


def show_waiting_run(console: SummaryConsole, waiting: "Waiting") -> None:
    """The run that waits, and its question."""
    from rich.markdown import Markdown  # a third of the time of `slipway --help`

    console.say(f"[bold]{escape(waiting.name)}[/bold] waits for an answer:")
    console.print(Markdown(waiting.question))


def show_given_answer(console: SummaryConsole, waiting: "Waiting", answer: "PersonsAnswer") -> None:
    """What was answered, by whom, and why."""
    console.say(f"{escape(waiting.name)}: [bold]{answer.decision}[/bold], by {escape(answer.words)}.")
