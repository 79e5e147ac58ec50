"""Where summaries are printed: as wide as the terminal, 80 columns when piped, without an end when asked for."""

import os
from collections.abc import Iterator
from typing import Any

from rich.console import Console, ConsoleOptions
from rich.errors import MarkupError
from rich.markup import escape
from rich.segment import Segment

PIPED_COLUMNS = 80
UNLIMITED_COLUMNS = 1_000_000


class CleanConsole(Console):
    """A terminal that obeys nobody but us: whatever is printed has lost the control characters it came with."""

    def render(self, renderable: Any, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        from flows.core.quotation import without_controls  # `slipway --help` prints nothing of others

        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(without_controls(segment.text), segment.style)


class SummaryConsole(CleanConsole):
    """Standard output. Tables fit its width; sentences are never broken, so that they can be searched.

    Args:
        wide: show every value whole, however long the lines become.
    """

    def __init__(self, *, wide: bool = False, **given: Any) -> None:
        plain = {"color_system": None} if os.environ.get("NO_COLOR") else {}
        super().__init__(highlight=False, **{**plain, **given})
        self.wide = wide
        if wide:
            self.width = UNLIMITED_COLUMNS
        elif not self.is_terminal:
            self.width = given.get("width", PIPED_COLUMNS)

    def say(self, sentence: str) -> None:
        """Print one sentence, with console markup, on one line: a terminal wraps it, a pipe gets it whole."""
        from flows.core.quotation import without_controls

        plain = without_controls(sentence)
        try:
            self.print(plain, soft_wrap=True)
        except MarkupError:  # words of others that look like markup, and were not escaped
            self.print(escape(plain), soft_wrap=True)


def tell(sentence: str) -> None:
    """Print one sentence as it stands, word for word."""
    from flows.core.quotation import without_controls

    print(without_controls(sentence))


def show_error(console: Console, error: BaseException) -> None:
    """One error, in red: what, where, and what to do next."""
    from flows.core.errors import SlipwayError
    from flows.core.quotation import without_controls

    words = without_controls(SlipwayError.shown(str(error)))  # not every error is one of ours, which go through it
    console.print(f"[bold red]✗ {type(error).__name__}:[/bold red] {escape(words)}", highlight=False, soft_wrap=True)
