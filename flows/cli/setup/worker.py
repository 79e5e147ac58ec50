"""`slipway worker`: carries out what is started from the Prefect UI, the API, CI or a schedule."""

import os
import sys
from typing import Annotated, Literal

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
        Literal["fork", "process", "docker"],
        typer.Option(
            "--type", help="fork: runs begin at once; process: each in a new Python; docker: each in a container."
        ),
    ] = "fork",
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Its name in the UI.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many runs side by side.")] = None,
    image: Annotated[
        str, typer.Option("--image", metavar="IMAGE", help="Of a docker pool that is made; best by its digest.")
    ] = "",
    network: Annotated[
        list[str] | None, typer.Option("--network", metavar="NAME", help="A network that its containers join.")
    ] = None,
    volume: Annotated[
        list[str] | None, typer.Option("--volume", metavar="FROM:TO", help="What its containers mount.")
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option("--group", metavar="GID", help="A group its containers' user is in besides.")
    ] = None,
) -> None:
    """Start a worker in this directory, and carry out runs until it is stopped (Ctrl-C, SIGTERM)."""
    wanted = (image, tuple(network or ()), tuple(volume or ()), tuple(group or ()))
    if kind != "docker" and any(wanted):
        raise typer.BadParameter("--image, --network, --volume and --group go with --type docker", param_hint="--type")
    env = {"PREFECT_WORKER_QUERY_SECONDS": "2", **os.environ}  # before the terminal's own settings are added
    if run_callable(lambda: _made(pool, kind, wanted), quiet=True):
        SummaryConsole().say(f"Made the work pool [bold]{pool}[/bold], in which a run brings nothing of its own.")
    sys.stdout.flush()
    options = {"--pool": pool, "--type": kind, "--name": name, "--limit": str(limit) if limit else None}
    chosen = [word for option, value in options.items() if value for word in (option, value)]
    # A process of its own, so that Prefect's log looks as whoever runs workers knows it.
    os.execve(sys.executable, [sys.executable, "-m", "flows.worker", *chosen], env)  # noqa: S606 — this very Python


def _made(pool: str, kind: str, wanted: tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]) -> bool:
    from flows.worker.pool import Containers, ensure_pool

    return ensure_pool(pool, kind, Containers(*wanted))
