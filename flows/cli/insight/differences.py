"""`slipway diff`, and its summary."""

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.text import Text

from flows.cli.app import FLOWS, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import DropletOption, JsonOption, StackOption, WideOption
from flows.cli.terminal.runner import run_callable
from flows.cli.terminal.tables import SummaryTable, shown_image

if TYPE_CHECKING:
    from flows.core.insight.comparison.differences import NamedDifference, ReleaseDifferences

_STYLES = {"added": "green", "removed": "red", "changed": "yellow"}
_MEANT = "A tag, `current`, or `current:DROPLET`."


@app.command("diff", rich_help_panel=FLOWS)
def slipway_diff(
    old: Annotated[str, typer.Argument(metavar="A", help=_MEANT)],
    new: Annotated[str, typer.Argument(metavar="B", help=_MEANT)],
    stack: StackOption = None,
    droplet: DropletOption = None,
    packages: Annotated[
        bool, typer.Option("--packages/--no-packages", help="Compare SBOMs of images that differ.")
    ] = True,
    as_json: JsonOption = False,
    wide: WideOption = False,
) -> None:
    """Show how two releases differ: images, sizes, packages, files, environment keys, settings. Nothing is changed."""

    def work() -> "ReleaseDifferences":
        from flows.core.insight.comparison.differences import compare_releases
        from flows.settings import Settings
        from flows.tasks.insight.contents import ReleasesRead, with_packages
        from flows.tasks.runs.blocks import block_cache, load_environment
        from flows.tasks.stack.project import stack_name

        settings = Settings()
        name = stack_name(stack or settings.stack)
        with block_cache():
            load_environment(settings, name)  # what it holds is kept out of what is shown
            where = ReleasesRead(name, droplet, settings)
            read = [where.read(one) for one in (old, new)]
            if packages:
                read = with_packages(read, settings)
        return compare_releases(*read)

    found = run_callable(work, quiet=True)
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
    else:
        show_differences(SummaryConsole(wide=wide), found)


def show_differences(console: SummaryConsole, found: "ReleaseDifferences") -> None:
    """Kind by kind, what differs; what is not known stands below."""
    console.say(f"[bold]{escape(found.sentence)}[/bold]")
    table = SummaryTable("service", "", "image", "size")
    for one in found.services:
        images = shown_image(one.new or one.old, wide=console.wide)
        if one.old and one.new:
            images = f"{shown_image(one.old, wide=console.wide)} →" if console.wide else f"{_short(one.old)} →"
            images += f" {one.new if console.wide else _short(one.new)}"
        table.add_row(one.service, Text(one.how, _STYLES[one.how]), images, _sizes(one.old_size, one.new_size))
    if table.row_count:
        console.print(table)
    _named(console, "Packages", found.packages)
    _named(console, "Files", found.files)
    _named(console, "Environment keys", found.keys)
    _named(console, "Variables of the environment", found.variables)
    _named(console, "Settings", found.settings)
    console.say(f"{found.same} services have the same image.")
    for note in found.notes:
        console.say(f"[yellow]Note:[/yellow] {escape(note)}.")


def _named(console: SummaryConsole, title: str, found: "tuple[NamedDifference, ...] | None") -> None:
    if not found:
        return
    console.say(f"[bold]{title}[/bold]")
    services = any(one.service for one in found)
    values = any(one.old or one.new for one in found)
    titles = [*(["service"] if services else []), "name", "", *(["what it was → is"] if values else [])]
    table = SummaryTable(*titles, free_text=["name", "what it was → is"])
    for one in found:
        said = " → ".join((one.old or "nothing", one.new or "nothing")) if one.old or one.new else ""
        cells: list[str | Text] = [
            *([one.service or "all"] if services else []),
            one.name,
            Text(one.how, _STYLES[one.how]),
        ]
        table.add_row(*cells, *([said] if values else []))
    console.print(table)


def _short(reference: str) -> str:
    return reference.rpartition("@")[2].removeprefix("sha256:")[:12]


def _sizes(old: int | None, new: int | None) -> str:
    said = [f"{size / 1e6:,.1f} MB" if size is not None else "" for size in (old, new)]
    return " → ".join(filter(None, said)) or "unknown"
