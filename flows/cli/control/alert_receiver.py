"""`slipway alert-receiver`: serves the address that Alertmanager's webhook posts to."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.app import TRAFFIC, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import StackOption, VerboseOption
from flows.cli.terminal.runner import run_callable


@app.command("alert-receiver", rich_help_panel=TRAFFIC)
def slipway_alert_receiver(
    token_file: Annotated[
        Path, typer.Option("--token-file", metavar="PATH", help="The token that Alertmanager sends; its owner's alone.")
    ],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="On this machine alone; 0: a free one.")] = 9095,
    stack: StackOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Turn what Alertmanager's webhook posts into events, until it is interrupted. Triggers: docs/EVENTS.md."""
    console = SummaryConsole()
    run_callable(lambda: _serve(console, port, token_file, stack), verbose=verbose)


def _serve(console: SummaryConsole, port: int, token_file: Path, stack: str | None) -> None:
    from flows.settings import Settings
    from flows.tasks.control.alert_receiver import PLACE, AlertReceiver, read_token
    from flows.tasks.stack.project import stack_name

    name = stack_name(stack or Settings().stack)
    with AlertReceiver(port, read_token(token_file), name) as receiver:
        console.say(f"Alerts of {name} are taken at http://127.0.0.1:{receiver.server_port}{PLACE}")
        receiver.serve_forever()
