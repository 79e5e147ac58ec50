"""`slipway worker`: carries out what is started from the Prefect UI, the API, CI or a schedule."""

import os
import signal
import sys
from typing import Annotated, Literal, NoReturn

import typer

from flows.cli.app import SET_UP, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.runner import run_callable


@app.command("worker", rich_help_panel=SET_UP)
def slipway_worker(
    pool: Annotated[
        str, typer.Option("--pool", metavar="NAME", help="Its work pool; made, closed, where it is missing.")
    ] = "slipway",
    kind: Annotated[
        Literal["fork", "process"],
        typer.Option("--type", help="fork: runs begin at once; process: each run in a new Python (docs/WORKERS.md)."),
    ] = "fork",
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Its name in the UI.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many runs side by side.")] = None,
) -> None:
    """Start a worker in this directory, and carry out runs until it is stopped (Ctrl-C, SIGTERM)."""
    os.environ.setdefault("PREFECT_WORKER_QUERY_SECONDS", "2")
    levels = {key: os.environ.get(key) for key in _TERMINAL_LEVELS}
    if run_callable(lambda: _made(pool, kind), quiet=True):
        SummaryConsole().say(f"Made the work pool [bold]{pool}[/bold], in which a run brings nothing of its own.")
    for key, value in levels.items():  # a worker's terminal has its log
        os.environ.pop(key, None)
        if value is not None:
            os.environ[key] = value
    _work(pool, kind, name, limit)


_TERMINAL_LEVELS = ("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "PREFECT_INTERNAL_LOGGING_LEVEL")


def _made(pool: str, kind: str) -> bool:
    from flows.worker.pool import ensure_pool

    return ensure_pool(pool, kind)


def _work(pool: str, kind: str, name: str | None, limit: int | None) -> NoReturn:
    """Prefect's own command for it: its signals, messages and settings are known to whoever runs workers."""
    import prefect.context
    from prefect.cli import app as prefect_command

    import flows.worker.fork_worker  # noqa: F401 — Prefect finds the type, also in a checkout that is not installed

    # A shell starts what it puts into the background deaf to Ctrl-C, and Prefect ends a worker by sending it one.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    prefect.context.refresh_global_settings_context()
    options = {"--name": name, "--limit": str(limit) if limit else None}
    chosen = [word for option, value in options.items() if value for word in (option, value)]
    sys.argv = ["prefect", "worker", "start", "--pool", pool, "--type", kind, *chosen]
    prefect_command()
    raise typer.Exit
