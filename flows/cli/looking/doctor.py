"""`slipway doctor`, and its summary."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from flows.cli.app import SET_UP, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.looking import look
from flows.cli.terminal.options import JsonOption, StackOption, WideOption
from flows.cli.terminal.tables import SummaryTable, marked

if TYPE_CHECKING:
    from flows.api.client import PrefectApi
    from flows.core.insight.doctor import Check
    from flows.settings import Settings

_MARKS = {"ok": "✓", "warn": "?", "fail": "✗", "unknown": "?"}


@app.command("doctor", rich_help_panel=SET_UP)
def slipway_doctor(stack: StackOption = None, as_json: JsonOption = False, wide: WideOption = False) -> None:
    """Try everything that a release needs, and say what mends what is not well; exit 1 when something fails."""

    def work(api: "PrefectApi", name: str, settings: "Settings") -> "list[Check]":
        from flows.looking.doctor import diagnose

        return diagnose(api, name, settings)

    found = look(work, stack)
    if as_json:
        print(json.dumps({"checks": [check.as_json() for check in found]}, indent=2))
    else:
        show_checks(SummaryConsole(wide=wide), found)
    if any(check.verdict == "fail" for check in found):
        raise typer.Exit(1)


def show_checks(console: SummaryConsole, found: "Sequence[Check]") -> None:
    """One row a check; below it what mends it."""
    table = SummaryTable("", "what", "found", free_text=["found"])
    for check in found:
        table.add_row(marked(_MARKS[check.verdict]), check.name, check.words, below=check.remedy)
    console.print(table)
    counts = {verdict: sum(check.verdict == verdict for check in found) for verdict in _MARKS}
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    console.say(escape(f"{len(found)} checks: {said}."))
