"""Runs what only looks: with the settings, the stack's name and Prefect's API at hand, and without Prefect."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import typer

from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.runner import INTERRUPTED, run_without_prefect

if TYPE_CHECKING:
    from flows.api.client import PrefectApi
    from flows.settings import Settings

T = TypeVar("T")


def look(work: "Callable[[PrefectApi, str, Settings], T]", stack: str | None) -> T:
    """Do the work with the API, the stack's name and the settings.

    Args:
        stack: the stack's name, or its compose file; None: the setting `stack`.

    Raises:
        typer.Exit: with the exit code of what went wrong, after it was shown as one error.
    """

    def call() -> T:
        from flows.api.client import PrefectApi
        from flows.settings import Settings
        from flows.tasks.stack.project import stack_name

        settings = Settings()
        name = stack_name(stack or settings.stack)
        with PrefectApi() as api:
            return work(api, name, settings)

    return run_without_prefect(call)


def look_again(console: SummaryConsole, seconds: float, show: Callable[[T], None], find: Callable[[], T]) -> None:
    """Find and show, once or, with a pause of so many seconds, until Ctrl-C; a terminal is cleared in between."""
    while True:
        found = find()
        if seconds and console.is_terminal:
            console.clear()
        show(found)
        if not seconds:
            return
        try:
            time.sleep(seconds)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
