"""`slipway report`, and its summary."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.text import Text

from flows.cli.app import UPKEEP, app
from flows.cli.insight.differences import show_differences
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import DropletOption, JsonOption, StackOption, WideOption
from flows.cli.terminal.runner import run_callable
from flows.cli.terminal.tables import SummaryTable, shown_image

if TYPE_CHECKING:
    from flows.core.insight.story.story import Placement, ReleaseStory
    from flows.core.insight.story.timeline import RunTimeline

_OUTCOMES = {"good": "green", "failed": "red", "rolled back": "yellow", "candidate": "cyan", "superseded": "dim"}
_VERDICTS = {"pass": "green", "fail": "red"}
_MINUTES, _BAR, _MOST = len("2026-05-04T12:00"), 24, 40


@app.command("report", rich_help_panel=UPKEEP)
def slipway_report(
    release: Annotated[str, typer.Argument(metavar="RELEASE", help="A tag, `current`, or `current:DROPLET`.")],
    stack: StackOption = None,
    droplet: DropletOption = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="PATH", help="Write it as a page; default: none is written.")
    ] = None,
    as_json: JsonOption = False,
    wide: WideOption = False,
) -> None:
    """Tell one release from its commit to now: what is in it, who put it where, gates, runs, what came after it."""

    def work() -> "ReleaseStory":
        from flows.settings import Settings
        from flows.tasks.insight.shell import masked
        from flows.tasks.insight.story import gather_story, story_page
        from flows.tasks.runs.blocks import block_cache, load_environment
        from flows.tasks.runs.reports import write_report
        from flows.tasks.stack.project import stack_name

        settings = Settings()
        name = stack_name(stack or settings.stack)
        with block_cache():
            load_environment(settings, name)  # what it holds is kept out of what is shown
            story = masked(gather_story(name, release, droplet, settings))
        if html:
            write_report(html.parent, html.name, story_page(story))
        return story

    story = run_callable(work, quiet=True)
    console = SummaryConsole(wide=wide)
    if as_json:
        print(json.dumps(story.as_json(), indent=2))
    else:
        show_story(console, story)
        if html:
            console.say(f"The page: {escape(str(html))}")


def show_story(console: SummaryConsole, story: "ReleaseStory") -> None:
    """What it is, where it was put, its gates, where the time went, and what changed."""
    console.say(f"[bold]{escape(story.sentence)}[/bold]")
    made = f", made at {escape(_moment(story.committed))} UTC" if story.committed else ""
    console.say(f"Commit {escape(story.commit or 'unknown')}{made}.")
    table = SummaryTable("", "droplet", "what", "outcome", "began", "ready after", "by", "replaced")
    for one in story.placements:
        outcome = one.record.outcome.value
        table.add_row(
            "→" if one.runs else "", one.droplet, f"{one.record.kind} {one.record.number}",
            Text(outcome, _OUTCOMES[outcome]), _moment(one.record.began), _seconds(one.seconds), one.record.run.by,
            one.replaced, below=_below(one),
        )  # fmt: skip
    if table.row_count:
        console.print(table)
    _gates(console, story)
    for run in story.timelines:
        _timeline(console, run)
    if story.differences:
        show_differences(console, story.differences)
    if console.wide:
        services = SummaryTable("service", "image")
        for service in story.services or ():
            services.add_row(service.service, shown_image(service.image, wide=True))
        console.print(services)
    for name in story.bundles:
        console.say(f"Debug bundle: {escape(name)}")
    for note in story.notes:
        console.say(f"[yellow]Note:[/yellow] {escape(note)}.")


def _below(one: "Placement") -> str:
    turn = one.measured.turn
    approved = f"traffic at {_moment(turn.at)} UTC, approved by {turn.approved_by or 'nobody'}" if turn else ""
    after = f"followed by {one.followed_by}" if one.followed_by else ""
    return "; ".join(filter(None, (one.record.reason, approved, after)))


def _gates(console: SummaryConsole, story: "ReleaseStory") -> None:
    table = SummaryTable("gate", "on", "verdict", "found", "wanted", free_text=["found", "wanted"])
    for one in story.placements:
        for gate in one.measured.gates:
            verdict = Text(gate.verdict, _VERDICTS.get(gate.verdict, "yellow"))
            table.add_row(gate.gate, one.droplet, verdict, gate.found, gate.wanted, below=gate.query)
    if table.row_count:
        console.print(table)


def _timeline(console: SummaryConsole, run: "RunTimeline") -> None:
    console.say(
        f"[bold]{escape(run.name)}[/bold]: {_seconds(run.seconds)}, of it Prefect {_seconds(run.prefect_seconds)}"
    )
    table = SummaryTable("step", "", "seconds")
    spans = run.spans if console.wide else [span for span in run.spans if span.seconds >= run.seconds / 100][:_MOST]
    for span in spans:
        before = min(_BAR - 1, int(_BAR * span.begin / (run.seconds or 1)))
        length = max(1, min(_BAR - before, round(_BAR * span.seconds / (run.seconds or 1))))
        bar = " " * before + ("█" if span.step else "─") * length
        style = "red" if span.outcome in ("FAILED", "CRASHED") else "cyan" if span.step else "dim"
        table.add_row("  " * span.depth + span.name, Text(bar, style), f"{span.seconds:.1f}")
    if table.row_count:
        console.print(table)


def _moment(text: str) -> str:
    return text[:_MINUTES].replace("T", " ")


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f} s"
