"""Lists of subjects, each with what is said of it: nothing is cut, and no line is wider than the terminal."""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions
from rich.text import Text

from flows.cli.terminal.tables import one_line

_INDENT, _GAP = 2, 2
# A longer subject stands on a line of its own.
_WIDEST = 24
_LEAST = 20


class SummaryList:
    """Subjects on the left, what is said of each on the right, folded.

    Args:
        widest: columns that subjects take at most.
    """

    def __init__(self, widest: int = _WIDEST) -> None:
        self._widest = widest
        self._rows: list[tuple[str, list[str | Text]]] = []

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(self, subject: str, *sayings: str | Text) -> None:
        """Add a subject, each saying on a line of its own. Plain strings are never read as markup."""
        self._rows.append((subject, list(sayings)))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        wide = bool(getattr(console, "wide", False))
        subjects = [one_line(subject, wide=True) for subject, _ in self._rows]
        fitting = [subject.cell_len for subject in subjects if subject.cell_len <= self._widest]
        column = min(max(fitting, default=0), max(options.max_width // 3, 1))
        start = _INDENT + column + _GAP
        room = max(options.max_width - start, _LEAST)
        for subject, (_, sayings) in zip(subjects, self._rows, strict=True):
            left = subject
            if subject.cell_len > column:
                for part in _folded(console, subject, options.max_width - _INDENT):
                    yield Text(" " * _INDENT).append_text(part)
                left = Text()
            for line in (part for text in sayings for part in _folded(console, one_line(text, wide=wide), room)):
                padding = " " * (start - _INDENT - left.cell_len)
                yield Text(" " * _INDENT).append_text(left).append(padding).append_text(line)
                left = Text()


def _folded(console: Console, text: Text, width: int) -> list[Text]:
    lines = list(text.wrap(console, max(width, 1), overflow="fold"))
    for line in lines:
        line.rstrip()
    return lines
