"""What a person reads in the terminal of what happened at DigitalOcean."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.core.registry_plan import Swept
from flows.core.rehearsal import Rehearsed
from flows.decommission import Decommissioned
from flows.provision import Provisioned
from flows.snapshot import Snapped


def show_swept(console: Console, swept: Swept) -> None:
    """What went from a registry, and why the rest stays."""
    table = Table("", "repository", "what", "why", box=None, pad_edge=False)
    for row in swept.sweep.rows(40):
        goes = "[yellow]goes[/yellow]" if row[""] == "goes" else "[green]stays[/green]"
        table.add_row(goes, *(escape(str(row[key])) for key in ("repository", "what", "why")))
    if table.row_count:
        console.print(table)
    left = len(swept.sweep.fates) - table.row_count
    if left > 0:
        console.print(f"… and {left} more, in the Prefect UI.")
    count, done = len(swept.sweep.goes), "Would remove" if swept.dry_run else "Removed"
    freed = f" {swept.blobs} blobs and {swept.freed / 1e6:.1f} MB are free." if swept.read_only else ""
    read_only = f" Nothing could be pushed for {swept.read_only:.0f} s." if swept.read_only else ""
    unchanged = " Nothing was changed." if swept.dry_run else ""
    said = f"{freed}{read_only}{unchanged} In {swept.seconds:.1f} s."
    console.print(f"{done} {count} from [bold]{swept.registry}[/bold].{said}")


def show_snapped(console: Console, snapped: Snapped) -> None:
    """What was taken, what it costs, and which ones went."""
    if snapped.snapshot is None:
        console.print(
            f"Would take [bold]{snapped.name}[/bold] of {snapped.droplet}. {snapped.cost}. Nothing was changed."
        )
    else:
        console.print(
            f"Took [bold]{snapped.name}[/bold] of {snapped.droplet} in {snapped.seconds:.0f} s. {snapped.cost}."
        )
    for one in snapped.removed:
        console.print(f"{'Removed' if snapped.snapshot else 'Would remove'} {one.name} of {one.at}.")


def show_provisioned(console: Console, made: Provisioned) -> None:
    """The new droplet, and what can be done with it now."""
    console.print(f"Droplet [bold]{made.name}[/bold] ({made.id}) is at {made.address}, with {made.engine}.")
    console.print(f"It costs: {made.cost}. Its pinned host key was made on it. In {made.seconds:.0f} s.")
    console.print(f"Next: slipway deploy --droplet {made.name} --tag TAG, or: slipway decommission {made.name}")


def show_decommissioned(console: Console, gone: Decommissioned) -> None:
    """What is gone."""
    if gone.removed:
        console.print(f"Droplet [bold]{gone.name}[/bold] is gone, and costs nothing any more. In {gone.seconds:.0f} s.")
    else:
        console.print(f"There was no droplet [bold]{gone.name}[/bold] any more.")


def show_rehearsed(console: Console, report: Rehearsed) -> None:
    """The report: steps with their times, the load, what it cost, and every deviation."""
    table = Table("step", "seconds", "found", box=None, pad_edge=False)
    for took in report.took:
        table.add_row(took.step, f"{took.seconds:.1f}", escape(took.found))
    if table.row_count:
        console.print(table)
    if report.load:
        load = report.load
        console.print(f"{load.requests} requests, {load.failed} failed, 95th percentile {load.latency:.3f} s.")
    for words in report.deviations:
        console.print(f"[yellow]Deviation: {escape(words)}[/yellow]")
    console.print(f"[bold]{report.sentence}[/bold] Before it: {report.stability.sentence}.")
    if report.skipped:
        console.print("All the same: slipway rehearse --even-so")
