"""`slipway metrics`: serves what Prometheus scrapes."""

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from flows.cli.app import UPKEEP, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.looking import look
from flows.cli.terminal.options import StackOption

if TYPE_CHECKING:
    from flows.api.client import PrefectApi
    from flows.settings import Settings

_ONCE_S = 180.0


@app.command("metrics", rich_help_panel=UPKEEP)
def slipway_metrics(
    stack: StackOption = None,
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Whoever reaches it may read it; port 0: a free one.")
    ] = "127.0.0.1:9464",
    once: Annotated[bool, typer.Option("--once", help="Print them, and end.")] = False,
    age: Annotated[
        float, typer.Option("--age", metavar="SECONDS", min=0, help="Ask a droplet no more often than that.")
    ] = 15.0,
    patience: Annotated[
        float, typer.Option("--patience", metavar="SECONDS", min=0.1, help="What does not answer by then is away.")
    ] = 8.0,
    drift_every: Annotated[
        float, typer.Option("--drift-every", metavar="SECONDS", min=0, help="Look for drift so often; 0: never.")
    ] = 600.0,
    rules: Annotated[
        Path | None,
        typer.Option("--rules", metavar="DIRECTORY", help="Write rules, alerts and a dashboard there, and end."),
    ] = None,
) -> None:
    """Serve metrics for Prometheus, made of release records, until it is interrupted: docs/OBSERVABILITY.md."""
    host, port = _address(listen)
    if rules:
        return _write_rules(rules)

    def work(api: "PrefectApi", name: str, settings: "Settings") -> None:
        from flows.looking.metrics import DropletMetrics, metrics_registry, metrics_server

        errors = SummaryConsole(stderr=True)
        collector = DropletMetrics(
            api, name, settings, lambda words: errors.print(words, markup=False, soft_wrap=True), age=age,
            patience=_ONCE_S if once else patience, drift_every=drift_every, wait_for_drift=once,
        )  # fmt: skip
        if once:
            from prometheus_client import generate_latest

            print(generate_latest(metrics_registry(collector)).decode(), end="")
            return
        try:
            server = metrics_server(collector, host, port)
        except OSError as error:
            raise typer.BadParameter(f"--listen {listen}: {error.strerror or error}") from None
        with server:
            shown = f"[{host}]" if ":" in host else host
            errors.say(f"Metrics of {name} are served at http://{shown}:{server.server_port}/metrics")
            server.serve_forever()

    return look(work, stack)


def _write_rules(directory: Path) -> None:
    """Write the files for Prometheus and Grafana, unless one that is there says something else."""
    console = SummaryConsole()
    found = {file.name: file.read_text() for file in resources.files("flows").joinpath("observability").iterdir()}
    try:
        for name, text in found.items():
            if (directory / name).exists() and (directory / name).read_text() != text:
                raise typer.BadParameter(f"{directory / name} says something else: move it, or name another directory")
        directory.mkdir(parents=True, exist_ok=True)
        for name in sorted(found):
            (directory / name).write_text(found[name])
            console.say(escape(f"Wrote {directory / name}"))
    except OSError as error:
        raise typer.BadParameter(f"--rules {directory}: {error.strerror or error}") from None


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise typer.BadParameter(f"--listen {text}: it is HOST:PORT, such as 127.0.0.1:9464 or [::1]:9464")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)
