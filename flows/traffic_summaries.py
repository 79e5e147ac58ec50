"""What a person sees in their terminal of plans, gates and promotions."""

from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.table import Table

from flows.core.gates import Reading, Verdict
from flows.core.outcome import GatesRead, Promoted, Turned, Watched
from flows.core.promotion import Plan
from flows.core.question import short

_VERDICTS = {
    Verdict.PASS: "[green]✓ pass[/green]",
    Verdict.FAIL: "[red]✗ fail[/red]",
    Verdict.INCONCLUSIVE: "[yellow]? inconclusive[/yellow]",
}
_KINDS = {"same": "[dim]same[/dim]", "changed": "[yellow]changed[/yellow]", "new": "[green]new[/green]",
          "gone": "[red]gone[/red]"}  # fmt: skip


def show_plan(console: Console, plan: Plan) -> None:
    table = _table("service", "change", "old", "new")
    for change in plan.changes:
        table.add_row(change.service, _KINDS[change.kind], short(change.old), short(change.new))
    console.print(table)
    console.print(f"Environment keys that differ: {escape(', '.join(plan.keys)) or 'none'}.")
    for note in plan.notes:
        console.print(f"[yellow]{escape(note)}[/yellow]")
    console.print(f"[bold]{escape(plan.sentence)}[/bold] {escape(plan.effect)}")


def show_gates(console: Console, found: GatesRead) -> None:
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
            table.add_row(change.service, _KINDS[change.kind], short(change.old), short(change.new))
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


def show_turned(console: Console, turned: Turned) -> None:
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


def show_waiting(console: Console, waiting: object) -> None:
    console.print(f"[bold]{escape(str(getattr(waiting, 'name', '')))}[/bold] waits for an answer:")
    console.print(Markdown(str(getattr(waiting, "question", ""))))


def show_answered(console: Console, answered: tuple[object, object]) -> None:
    waiting, answer = answered
    console.print(
        f"{escape(str(getattr(waiting, 'name', '')))}: [bold]{getattr(answer, 'decision', '')}[/bold], "
        f"by {escape(str(getattr(answer, 'words', '')))}."
    )


def _verdict(reading: Reading) -> str:
    return f"{_VERDICTS[reading.verdict]}{' [dim](observed only)[/dim]' if reading.observed else ''}"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
