"""`slipway stability`, and its summary."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.text import Text

from flows.cli.app import UPKEEP, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.looking import look
from flows.cli.terminal.options import JsonOption, StackOption, WideOption
from flows.cli.terminal.tables import SummaryTable, marked

if TYPE_CHECKING:
    from flows.api.client import PrefectApi
    from flows.core.insight.stability.number import Number
    from flows.core.insight.stability.report import StabilityReport
    from flows.settings import Settings

_STORIES, _REMARKS = 5, 8


@app.command("stability", rich_help_panel=UPKEEP)
def slipway_stability(
    stack: StackOption = None,
    days: Annotated[
        float | None, typer.Option("--days", min=0.01, max=366, help="Default: the setting `stability_days`.")
    ] = None,
    as_json: JsonOption = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="PATH", help="Write the page with plots, tables and stories.")
    ] = None,
    wide: WideOption = False,
) -> None:
    """Show how stable a destination was: pulls, rollouts, traces, errors and latency, and the four of DORA."""

    def work(api: "PrefectApi", name: str, settings: "Settings") -> "tuple[StabilityReport, Path | None]":
        from flows.looking.stability import look_at_stability

        report = look_at_stability(api, name, days, settings)
        return report, _write(report, html) if html else None

    report, written = look(work, stack)
    if as_json:
        print(json.dumps(report.as_json(), indent=2))
    else:
        show_stability(SummaryConsole(wide=wide), report)
    if written:
        SummaryConsole(stderr=True).say(f"The page: {escape(str(written))}")


def show_stability(console: SummaryConsole, report: "StabilityReport") -> None:
    """Number by number its value and verdict, its course by days on a terminal; what failed; what is not known."""
    from flows.core.insight.stability.words import MARKS, shown_count, shown_value, sparkline

    drawn = console.is_terminal
    titles = ("", "number", "value", "of", *(("by days",) if drawn else ()), "wanted")
    table = SummaryTable(*titles, free_text=["number"])
    for one in report.numbers:
        course = (Text(sparkline(one.course), "cyan"),) if drawn else ()
        table.add_row(
            marked(MARKS[one.verdict]), one.title, shown_value(one.value, one.unit), shown_count(one), *course,
            one.wanted, below=_below(one),
        )  # fmt: skip
    console.say(f"[bold]{escape(report.sentence)}[/bold]")
    console.print(table)
    for story in report.stories[:_STORIES]:
        what = "; ".join((*story.failed, story.words)) or story.outcome
        console.say(f"[red]✗[/red] {escape(story.tag)} on {escape(story.place)}, {story.at[:16].replace('T', ' ')}: "
                    f"{escape(what)}. [dim]Afterwards: {escape(story.afterwards)}.[/dim]")  # fmt: skip
    if len(report.stories) > _STORIES:
        console.say(f"and {len(report.stories) - _STORIES} more that did not hold: --json")
    for remark in report.remarks[:_REMARKS]:
        console.say(f"[yellow]?[/yellow] {escape(remark)}")
    if len(report.remarks) > _REMARKS:
        console.say(f"and {len(report.remarks) - _REMARKS} more that is not known: --json")
    stable = "stable" if report.condition.stable else f"not stable: {'; '.join(report.condition.reasons)}"
    console.say(f"The active release is {escape(stable)}.")


def _below(number: "Number") -> str:
    from flows.core.insight.stability.words import shown_interval, shown_value

    interval = f"95 %: {shown_interval(number)}" if number.interval else ""
    median = f"median {shown_value(number.median, number.unit)}" if number.median not in (None, number.value) else ""
    doubt = "not enough data: " if number.verdict == "not enough data" else ""
    return "; ".join(words for words in (median, interval, f"{doubt}{number.why}" if number.why else doubt) if words)


def _write(report: "StabilityReport", place: Path) -> Path:
    from flows.tasks.insight.page import stability_page
    from flows.tasks.runs.reports import write_report

    return write_report(place.parent, place.name, stability_page(report))
