"""The report: every section as a table on the terminal, and as Markdown in a file."""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.measure import Section

_WIDE = 140
_COLOUR = {"met": "green", "not met": "red"}


def show(section: Section) -> None:
    """Print one section; plain and wide when piped."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDE)
    table = Table(*section.columns, box=None, pad_edge=False, header_style="dim")
    for row in section.rows:
        cells = [f"[{_COLOUR[c]}]{c}[/]" if c in _COLOUR else escape(c) for c in row.cells]
        table.add_row(*cells, style="bold" if row.strong else None)
    console.print(f"\n[bold]{escape(section.title)}[/bold]")
    console.print(table)
    for note in section.notes:
        console.print(f"[dim]{escape(note)}[/dim]")


def write(path: Path, heading: str, sections: Iterable[Section]) -> None:
    """Write all sections as one Markdown file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# Benchmarks\n\n{heading}\n\n" + "\n".join(map(markdown, sections)))


def markdown(section: Section) -> str:
    """One section as Markdown; rows with a target or a total are bold."""
    lines = [f"## {section.title}", "", _line(section.columns), _line(["---"] * len(section.columns))]
    for row in section.rows:
        lines.append(_line([f"**{c}**" if row.strong and c.strip() else _indent(c) for c in row.cells]))
    return "\n".join([*lines, "", "\n\n".join(section.notes), ""])


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _indent(cell: str) -> str:
    text = cell.lstrip(" ")
    return "&nbsp;" * 2 * (len(cell) - len(text)) + text
