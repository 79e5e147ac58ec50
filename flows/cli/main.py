"""Entry point of the `slipway` command: which commands there are, and how the process ends."""

import typer

# Commands register themselves on import; the order is the one inside a help panel.
# isort: off
from flows.cli.explanation import command  # noqa: F401
from flows.cli.setup import init, account, setup, droplet, blocks, keys, switch, edge, worker  # noqa: F401
from flows.cli.control import automations, alert_receiver, server, moving  # noqa: F401
from flows.cli.trust import command as trust_command  # noqa: F401
from flows.cli import release, deploy  # noqa: F401
from flows.cli.insight import differences, story  # noqa: F401
from flows.cli.trigger import command as trigger_command  # noqa: F401
from flows.cli.looking import settings, status, service, drift, stability, doctor, metrics  # noqa: F401
from flows.cli import traffic, approval, records, prune, debug, cloud, registry  # noqa: F401
from flows.cli.adoption import command as adoption_command  # noqa: F401

# isort: on
from flows.cli.app import SET_UP, app, ended
from flows.cli.setup.saving import reach_all
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import VerboseOption
from flows.cli.terminal.runner import run_callable


@app.command("check", rich_help_panel=SET_UP)
def slipway_check(verbose: VerboseOption = False) -> None:
    """Try every block that was saved: can it be reached, does it take our login?"""
    if not run_callable(lambda: reach_all(SummaryConsole()), verbose=verbose, quiet=True):
        raise typer.Exit(1)


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    ended(lambda: app(prog_name="slipway"))
