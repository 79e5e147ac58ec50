"""Tables that fit the terminal, and the cells that several summaries share."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions
from rich.text import Text

from flows.cli.terminal.console import SummaryConsole

if TYPE_CHECKING:
    from flows.core.gates.probes import ProbeResult
    from flows.core.results import Deployed, ServiceState

_GAP, _INDENT = 2, 4
# Free text gets at least so many columns while others can give way, and takes at most so many lines.
_LEAST_FREE, _MOST_LINES = 20, 4
_WHOLE_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")
_MARK_STYLES = {"✓": "green", "✗": "red", "?": "yellow"}


class SummaryTable:
    """Rows in columns, no line wider than the console: free text is folded, everything else cut in its middle.

    Args:
        titles: one a column.
        free_text: titles of the columns that give way first.
    """

    def __init__(self, *titles: str, free_text: Collection[str] = ()) -> None:
        self._free = [title in free_text for title in titles]
        self._rows: list[tuple[list[str | Text], str]] = [([Text(title, "dim") for title in titles], "")]

    @property
    def row_count(self) -> int:
        """How many rows were added."""
        return len(self._rows) - 1

    def add_row(self, *cells: str | Text, below: str = "") -> None:
        """Add a row. Plain strings are shown as they are, never read as markup.

        Args:
            below: text for lines of its own below the row.
        """
        assert len(cells) == len(self._free)
        self._rows.append((list(cells), below))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        wide = bool(getattr(console, "wide", False))
        rows = [([one_line(cell, wide=wide) for cell in cells], below) for cells, below in self._rows]
        natural = [max(cells[column].cell_len for cells, _ in rows) for column in range(len(self._free))]
        widths = fitting_widths(natural, self._free, options.max_width - _GAP * (len(natural) - 1))
        for cells, below in rows:
            columns = [
                _folded(console, cell, width) if free else [_cut(cell, width)]
                for cell, width, free in zip(cells, widths, self._free, strict=True)
            ]
            for number in range(max(map(len, columns))):
                yield _joined([lines[number] if number < len(lines) else Text() for lines in columns], widths)
            if below:
                for line in _folded(console, one_line(below, wide=wide), options.max_width - _INDENT):
                    yield Text(" " * _INDENT).append_text(line)


def fitting_widths(natural: Sequence[int], free: Sequence[bool], room: int) -> list[int]:
    """Widths of columns that together take no more than `room`: free text gives way first, the widest before others."""
    widths = list(natural)
    for least, yielding in ((_LEAST_FREE, free), (1, [True] * len(widths))):
        columns = [column for column, yields in enumerate(yielding) if yields]
        while sum(widths) > room and (wider := [column for column in columns if widths[column] > least]):
            widths[max(wider, key=lambda column: widths[column])] -= 1
    return widths


def marked(mark: str, words: str = "") -> Text:
    """✓, ✗ or ? and words, in its colour."""
    return Text(f"{mark} {words}".rstrip(), _MARK_STYLES[mark])


def goes_or_stays(goes: bool) -> Text:
    """The first cell of a row of what is removed."""
    return Text("goes", "yellow") if goes else Text("stays", "green")


def pulled_images(deployed: "Deployed") -> str:
    """How much a deploy had to pull, as a sentence."""
    if not deployed.pulled:
        return "Nothing was left to pull."
    return f"{len(deployed.pulled)} images were pulled, {deployed.pulled_bytes / 1e6:,.1f} MB."


def shown_image(reference: str, *, wide: bool) -> str:
    """An image reference as a table shows it: its digest in short, or the whole of it when `wide`."""
    digest = reference.partition("@")[2]
    return reference if wide or not digest else _WHOLE_DIGEST.sub(r"\1", digest)


def services_table(
    console: SummaryConsole, services: Mapping[str, "ServiceState"], probes: Sequence["ProbeResult"] = ()
) -> SummaryTable:
    """The services of a droplet: state, image, and what their probes found when there were any."""
    table = SummaryTable("service", "state", *(["probes"] if probes else []), "image")
    for name, service in sorted(services.items()):
        state = service.state if service.health == "none" else f"{service.state}, {service.health}"
        good = service.health in ("healthy", "none") and service.state in ("running", "exited")
        mine = [probe for probe in probes if probe.service == name]
        cells = [_probes(mine, wide=console.wide)] if probes else []
        image = shown_image(service.image, wide=console.wide)
        table.add_row(name, Text(state, "green" if good else "red"), *cells, image)
    return table


def _probes(probes: Sequence["ProbeResult"], *, wide: bool) -> Text:
    """Every probe when `wide`; else those that did not pass, or how many did."""
    notable = [probe for probe in probes if wide or not probe.passed]
    if probes and not notable:
        return marked("✓", f"all {len(probes)}" if len(probes) > 1 else probes[0].phase.value)
    return Text(", ").join(marked(probe.mark, probe.phase.value) for probe in notable)


def one_line(cell: str | Text, *, wide: bool) -> Text:
    """The cell without line breaks and control characters, which would move the cursor; digests in short."""
    if isinstance(cell, Text):
        return cell
    line = " ".join("".join(char if char.isprintable() else " " for char in cell).split())
    return Text(line if wide else _WHOLE_DIGEST.sub(r"\1", line))


def _folded(console: Console, text: Text, width: int) -> list[Text]:
    lines = list(text.wrap(console, width, overflow="fold"))
    for line in lines:
        line.rstrip()
    if len(lines) > _MOST_LINES:
        lines = lines[:_MOST_LINES]
        lines[-1] = _cut(lines[-1] + Text("…"), width, at_end=True)
    return lines


def _cut(text: Text, width: int, *, at_end: bool = False) -> Text:
    """The text in `width` columns. Its end says more than its beginning, so more of that stays, unless `at_end`."""
    if text.cell_len <= width:
        return text
    tail = 0 if at_end else (width - 1) * 2 // 3
    shorter = text[: width - 1 - tail] + Text("…") + text[len(text) - tail :]
    shorter.truncate(width, overflow="ellipsis")  # characters may be two columns wide
    return shorter


def _joined(cells: Iterable[Text], widths: Sequence[int]) -> Text:
    line = Text()
    for cell, width in zip(cells, widths, strict=True):
        line.append_text(cell)
        line.append(" " * (width - cell.cell_len + _GAP))
    line.rstrip()
    return line
