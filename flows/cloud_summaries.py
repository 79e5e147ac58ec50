"""What a person reads in the terminal of what happened at DigitalOcean."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.core.registry_plan import Swept


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
