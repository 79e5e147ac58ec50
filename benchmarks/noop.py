"""A flow with one task that does nothing: what Prefect alone takes from a trigger to the first step."""

from prefect import flow, task


@task
def noop_step() -> None:
    """Nothing."""


@flow
def noop() -> None:
    """One step."""
    noop_step()
