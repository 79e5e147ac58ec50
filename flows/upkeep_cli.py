"""The commands for what happens after a release: go back, look back, tidy up, find out why."""

import typer


def add_upkeep(app: typer.Typer) -> None:
    """Add these commands to `slipway`."""
