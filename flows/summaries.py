"""What a person sees in their terminal when a flow has ended: one summary a flow."""

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.core.outcome import Deployed, DropletStatus, Published, Released, ServiceState, Validated
from flows.core.probes import Outcome


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
        mark = "[green]✓[/green]" if outcome.passed else "[red]✗[/red]"
        table.add_row(mark, outcome.service, outcome.phase.value, escape(outcome.detail))
    console.print(table)
    passed = sum(outcome.passed for outcome in validated.outcomes)
    console.print(
        f"{passed} of {len(validated.outcomes)} probes passed for release [bold]{validated.tag}[/bold] "
        f"on [bold]{validated.droplet}[/bold] in {validated.seconds:.1f} s."
    )


def show_released(console: Console, released: Released) -> None:
    """The summary: per service digest, state and probes; per stage its time; where to look."""
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


def show_status(console: Console, found: Mapping[str, DropletStatus]) -> None:
    for name, said in found.items():
        active = {True: " · [green]active[/green]", False: " · idle", None: ""}[said.active]
        console.print(f"[bold]{name}[/bold] · release {said.release or 'none'}{active}")
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
        probes = [f"{'✓' if o.passed else '✗'} {o.phase.value}" for o in outcomes if o.service == name]
        table.add_row(name, coloured, *([", ".join(probes)] if outcomes else []), said.image)
    return table


def _pulled(deployed: Deployed) -> str:
    if not deployed.pulled:
        return "Nothing was left to pull."
    return f"{len(deployed.pulled)} images were pulled, {deployed.pulled_bytes / 1e6:,.1f} MB."


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        wraps = column in ("found", "image", "probes")
        table.add_column(column, no_wrap=not wraps, overflow="fold", min_width=len(column) if wraps else None)
    return table
