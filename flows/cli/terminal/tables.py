"""What a person sees in their terminal when a flow has ended: one summary a flow."""

from collections.abc import Mapping

from rich.table import Table

from flows.core.gates.probes import ProbeResult
from flows.core.results import (
    Deployed,
    ServiceState,
)

_MARKS = {"✓": "[green]✓[/green]", "✗": "[red]✗[/red]", "?": "[yellow]?[/yellow]"}


def _services(services: Mapping[str, ServiceState], outcomes: tuple[ProbeResult, ...]) -> Table:
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
