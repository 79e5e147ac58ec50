"""What a person sees while a flow runs in their terminal, and when it failed."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.markup import escape
from rich.status import Status

from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.plans import show_plan_of_deploy
from flows.tasks.runs.context import PLAN, run_context
from flows.tasks.runs.log_masking import NAMED
from flows.tasks.runs.retries import RAW

_NOISE = ("Beginning ", "View at ", "Created ", "Finished in state", "PID ")


class Progress(logging.Handler):
    """Turns the log of Prefect runs into a list of steps, each with its time; a spinner shows what goes on.

    Output of docker and Compose is in the run's log in the UI; here it only feeds the spinner, unless `verbose`.
    """

    def __init__(self, console: SummaryConsole, verbose: bool) -> None:
        super().__init__(logging.DEBUG if verbose else logging.INFO)
        self._console = console
        self._verbose = verbose
        self._status: Status | None = None
        self._since = time.monotonic()
        self.begun = False

    def emit(self, record: logging.LogRecord) -> None:
        if run_context().quiet and record.levelno < logging.WARNING and not self._verbose:
            return
        message = record.getMessage().strip()
        if plan := getattr(record, PLAN, None):
            show_plan_of_deploy(self._console, plan)
            return
        task, flow = getattr(record, "task_run_name", None), getattr(record, "flow_name", None)
        if task and message == "Finished in state Completed()":
            self._step(str(task))
        elif message.startswith("Beginning ") and flow:
            self.begun = True
            self._console.say(f"[bold]▶ {escape(str(getattr(record, 'flow_run_name', flow)))}[/bold]")
            self._since = time.monotonic()
        elif (
            record.exc_info or getattr(record, NAMED, False) or message.startswith(_NOISE) or message.startswith("PID ")
        ):
            return
        elif _is_raw(record):
            self._show(message, dim=True, print_it=self._verbose)
        elif record.levelno >= logging.WARNING:
            self._console.say(f"  [yellow]{escape(message)}[/yellow]")
        else:
            self._show(message, dim=False, print_it=message.startswith("✓") or self._verbose)

    def ask(self, question: str) -> bool:
        """Ask whoever sits at the terminal; nothing moves there meanwhile."""
        if self._status:
            self._status.stop()
        try:
            return typer.confirm(question)
        except typer.Abort:
            return False
        finally:
            if self._status:
                self._status.start()

    def _step(self, name: str) -> None:
        now = time.monotonic()
        self._console.say(f"  [green]✓[/green] {escape(name):<58} [dim]{now - self._since:6.1f} s[/dim]")
        self._since = now
        if self._status:
            self._status.update("")

    def _show(self, message: str, *, dim: bool, print_it: bool) -> None:
        if print_it:
            mark = "[green]✓[/green]" if message.startswith("✓") else " "
            text = escape(message.removeprefix("✓").strip())
            self._console.say(f"    {mark} [dim]{text}[/dim]" if dim else f"    {mark} {text}")
        elif self._status:
            self._status.update(f"[dim]{escape(message[: self._console.width - 6])}[/dim]")

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show progress for as long as the context is open."""
        loggers = [logging.getLogger(f"prefect.{name}") for name in ("flow_runs", "task_runs", "slipway.hooks")]
        for logger in loggers:
            logger.addHandler(self)
        try:
            if self._console.is_terminal:
                with self._console.status("") as self._status:
                    yield
            else:
                yield
        finally:
            self._status = None
            for logger in loggers:
                logger.removeHandler(self)


def _is_raw(record: logging.LogRecord) -> bool:
    return bool(getattr(record, RAW, False)) or "prefect_shell" in record.pathname
