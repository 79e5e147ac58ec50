"""What a person sees in their terminal when a flow has ended: one summary a flow."""

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.core.debris import Debris, SystemPruned
from flows.core.dossier import Bundle
from flows.core.outcome import (
    Deployed,
    DropletStatus,
    Published,
    Reconciled,
    Released,
    RolledBack,
    ServiceState,
    Validated,
)
from flows.core.probes import Outcome
from flows.core.record import History
from flows.core.removal import Pruned
from flows.traffic_summaries import show_promoted

_MARKS = {"✓": "[green]✓[/green]", "✗": "[red]✗[/red]", "?": "[yellow]?[/yellow]"}


def show_published(console: Console, published: Published) -> None:
    table = _table("service", "image")
    for name, reference in sorted(published.release.services.items()):
        table.add_row(name, reference)
    console.print(table)
    after = f", after {published.previous}" if published.previous else ""
    console.print(f"Published release [bold]{published.release.tag}[/bold]{after} in {published.seconds:.1f} s.")


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


def show_released(console: Console, released: Released) -> None:
    """The summary: per service digest, state and probes; per stage its time; where to look."""
    if released.promoted:
        console.print(f"build-push took {released.published.seconds:.1f} s.")
        show_promoted(console, released.promoted)
        return
    assert released.deployed and released.validated  # noqa: PT018
    console.print(_services(released.deployed.services, released.validated.outcomes))
    stages = _table("stage", "seconds")
    for name, stage in (
        ("build-push", released.published),
        ("deploy", released.deployed),
        ("validate", released.validated),
    ):
        stages.add_row(name, f"{stage.seconds:.1f}")
    console.print(stages)
    release = released.published.release
    console.print(
        f"Release [bold]{release.tag}[/bold] of {release.stack} runs on [bold]{released.deployed.droplet}[/bold], "
        f"by digest, validated. {_pulled(released.deployed)}"
    )
    if released.run_url:
        console.print(f"The run in the Prefect UI: {released.run_url}", soft_wrap=True)
    if released.edge_url:
        console.print(f"The edge: {released.edge_url}", soft_wrap=True)


def show_rolled_back(console: Console, back: RolledBack) -> None:
    console.print(_services(back.services, back.validated.outcomes))
    gone = f", instead of {back.left}" if back.left and back.left != back.release.tag else ""
    pulled = f"{len(back.pulled)} images had to be pulled. " if back.pulled else ""
    console.print(
        f"Release [bold]{back.release.tag}[/bold] runs on [bold]{back.droplet}[/bold] again{gone}, by digest, "
        f"validated. {pulled}Healthy after {back.healthy_after:.1f} s, {back.seconds:.1f} s in all."
    )


def show_reconciled(console: Console, found: Reconciled) -> None:
    console.print(f"[bold]{found.droplet}[/bold]: {escape(found.done)}. [dim]{escape(found.why)}[/dim]")


def show_history(console: Console, found: Mapping[str, History]) -> None:
    colours = {"good": "green", "failed": "red", "rolled back": "yellow", "candidate": "cyan"}
    for name, said in found.items():
        console.print(f"[bold]{name}[/bold]")
        table = _table("", "no.", "what", "release", "outcome", "began", "by", "environment", "why")
        runs = said.deployed()
        for record in reversed(said.records):
            outcome = record.outcome.value
            table.add_row(
                "→" if record == runs else "", str(record.number), record.kind, record.tag,
                f"[{colours[outcome]}]{outcome}[/{colours[outcome]}]", record.began[:19].replace("T", " "),
                record.run.by, record.environment[:8], escape(record.reason),
            )  # fmt: skip
        console.print(table if said.records else "  nothing was put here yet")
        for file in said.damaged:
            console.print(f"  [yellow]record {file} is damaged, and left out[/yellow]")


def show_pruned(console: Console, pruned: Pruned) -> None:
    removal = pruned.removal
    table = _table("", "kind", "name", "found", "MB")
    for row in removal.rows():
        goes = "[yellow]goes[/yellow]" if row[""] == "goes" else "[green]stays[/green]"
        table.add_row(goes, *(escape(str(row[key])) for key in ("kind", "name", "why", "MB")))
    if table.row_count:
        console.print(table)
    for warning in removal.warnings:
        console.print(f"[yellow]{escape(warning)}[/yellow]")
    done = "Would remove" if pruned.dry_run else "Removed"
    console.print(
        f"{done} {removal} of {pruned.stack} {'on' if pruned.dry_run else 'from'} [bold]{pruned.droplet}[/bold]. "
        f"{'Nothing was changed. ' if pruned.dry_run else ''}In {pruned.seconds:.1f} s."
    )
    for said in pruned.build_host:
        console.print(f"Build host: {escape(said)}")


def show_debris(console: Console, found: tuple[str, Debris]) -> None:
    name, debris = found
    table = _table("kind", "name", "found", "size")
    for row in debris.rows():
        table.add_row(*(escape(str(row[key])) for key in ("kind", "name", "what", "size")))
    console.print(table)
    console.print(
        f"All this goes from [bold]{name}[/bold], and what stopped containers alone hold on to. "
        f"{len(debris.named)} named volumes stay, and so do the images of the releases kept there."
    )


def show_system_pruned(console: Console, pruned: SystemPruned) -> None:
    console.print(
        f"[bold]{pruned.droplet}[/bold]: {escape(pruned.freed)}. "
        f"All {len(pruned.debris.named)} named volumes are still there. In {pruned.seconds:.1f} s."
    )


def show_debugged(console: Console, bundle: Bundle) -> None:
    """The reading of each service, its troubles in red; the host's only when it has any."""
    if not bundle.readings:
        console.print(f"Every service of {bundle.stack} on {bundle.place} is [green]well[/green]. Nothing was kept.")
        return
    for reading in bundle.readings:
        if reading.troubles or reading.service in bundle.services:
            console.print(f"[bold]{escape(reading.service)}[/bold]")
            colour, mark = ("red", "✗") if reading.troubles else ("green", "✓")
            for text in reading.sentences:
                noted = text in reading.notes
                console.print(f"    {escape(text)}" if noted else f"  [{colour}]{mark} {escape(text)}[/{colour}]")
    console.print(
        f"Looked at {', '.join(bundle.services) or 'the host'} on [bold]{bundle.place}[/bold] "
        f"in {bundle.seconds:.1f} s: "
        f"{bundle.path} ({bundle.size / 1000:,.0f} kB)",
        soft_wrap=True,
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


def _services(services: Mapping[str, ServiceState], outcomes: tuple[Outcome, ...]) -> Table:
    columns = ("service", "state", "image") if not outcomes else ("service", "state", "probes", "image")
    table = _table(*columns)
    for name, said in sorted(services.items()):
        state = said.state if said.health == "none" else f"{said.state}, {said.health}"
        good = said.health in ("healthy", "none") and said.state in ("running", "exited")
        coloured = f"[green]{state}[/green]" if good else f"[red]{state}[/red]"
        probes = [f"{o.mark} {o.phase.value}" for o in outcomes if o.service == name]
        table.add_row(name, coloured, *([", ".join(probes)] if outcomes else []), said.image)
    return table


def _pulled(deployed: Deployed) -> str:
    if not deployed.pulled:
        return "Nothing was left to pull."
    return f"{len(deployed.pulled)} images were pulled, {deployed.pulled_bytes / 1e6:,.1f} MB."


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        wraps = column in ("found", "image", "probes", "why")
        table.add_column(column, no_wrap=not wraps, overflow="fold", min_width=len(column) if wraps else None)
    return table
