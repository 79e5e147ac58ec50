"""The `slipway` command: the flows from a terminal."""

import gc
from typing import Any

import typer

from flows.cli.cloud import add_cloud
from flows.cli.records import add_upkeep
from flows.cli.registry import registry_app
from flows.cli.setup.account import account_app
from flows.cli.setup.blocks import environment_app, langfuse_app, prometheus_app
from flows.cli.setup.droplet import droplet_app
from flows.cli.setup.switch import switch_app
from flows.cli.terminal.options import (
    Verbose,
)
from flows.cli.terminal.runner import leave, run_flow, wide_console
from flows.cli.traffic import add_traffic

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Build a Docker Compose stack once, deploy it to droplets by digest, validate it.\n\n"
    "Exit codes: 0 done · 1 it failed · 2 refused, nothing was changed · 3 a person said no, or nobody answered · "
    "130 interrupted.",
)
app.add_typer(account_app, name="account", rich_help_panel="Set up")
app.add_typer(droplet_app, name="droplet", rich_help_panel="Set up")
app.add_typer(registry_app, name="registry", rich_help_panel="Set up")
app.add_typer(environment_app, name="environment", rich_help_panel="Set up")
app.add_typer(langfuse_app, name="langfuse", rich_help_panel="Set up")
app.add_typer(prometheus_app, name="prometheus", rich_help_panel="Set up")
app.add_typer(switch_app, name="switch", rich_help_panel="Set up")
add_traffic(app)
add_upkeep(app)
add_cloud(app)


@app.command(rich_help_panel="Set up")
def check(verbose: Verbose = False) -> None:
    """Try every block that was saved: can it be reached, does it take our login?"""

    def work() -> Any:
        from flows.cli.setup.saving import reach_all

        return reach_all(wide_console())

    if not run_flow(work, verbose, quiet=True):
        raise typer.Exit(1)


def main() -> None:
    """Entry point of the `slipway` command."""
    # Prefect's import makes a hundred thousand lasting objects; looking through them again and again takes 0.2 s.
    gc.set_threshold(100_000, 20, 20)
    try:
        app()
    except SystemExit as end:
        leave(end.code if isinstance(end.code, int) else int(end.code is not None))


if __name__ == "__main__":
    main()
