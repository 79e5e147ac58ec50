"""Where summaries are printed: as wide as the terminal, 80 columns when piped, without an end when asked for."""

import os
from typing import Any

from rich.console import Console
from rich.markup import escape

PIPED_COLUMNS = 80
UNLIMITED_COLUMNS = 1_000_000


class SummaryConsole(Console):
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
        self.print(sentence, soft_wrap=True)


def show_error(console: Console, error: BaseException) -> None:
    """One error, in red: what, where, and what to do next."""
    console.print(
        f"[bold red]✗ {type(error).__name__}:[/bold red] {escape(str(error))}", highlight=False, soft_wrap=True
    )
