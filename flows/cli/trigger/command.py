"""`slipway trigger`: start a deployment's run once, wait for its end, and end as it ended."""

import os
import subprocess
from pathlib import Path
from typing import Annotated, Literal

import typer

from flows.cli.app import FLOWS, app
from flows.cli.terminal.destination import asked_destination
from flows.cli.terminal.options import VerboseOption
from flows.cli.terminal.runner import run_without_prefect

_GIT_TIMEOUT_S = 10


@app.command("trigger", rich_help_panel=FLOWS)
def slipway_trigger(
    deployment: Annotated[str, typer.Argument(help="`release`, or FLOW/DEPLOYMENT.")],
    ref: Annotated[
        str | None,
        typer.Option("--ref", metavar="COMMIT", help="Default: GITHUB_SHA, CI_COMMIT_SHA, or HEAD of the checkout."),
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="A parameter of the run.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the run's end.")] = True,
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=1, help="Wait so long.")] = 3600.0,
    on_paused: Annotated[
        Literal["wait", "neutral"], typer.Option("--on-paused", help="What to do while a person is asked.")
    ] = "wait",
    key: Annotated[
        str | None,
        typer.Option("--key", help="The same key, the same run. Default: from commit, deployment and parameters."),
    ] = None,
    summary: Annotated[
        Path | None, typer.Option("--summary", metavar="FILE", help="Markdown; default: GITHUB_STEP_SUMMARY.")
    ] = None,
    cancel_on_interrupt: Annotated[
        bool, typer.Option("--cancel-on-interrupt", help="Cancel the run when this command is interrupted.")
    ] = False,
    verbose: VerboseOption = False,
) -> None:
    """Start a run of a deployment through Prefect's API, once, and wait for its end: for CI.

    Exit codes: 0 done · 1 it failed · 2 refused · 4 cancelled · 5 timed out · 6 superseded · 7 waits for a person.
    """

    def work() -> int:
        from flows.api.client import PrefectApi
        from flows.api.runs import find_deployment, start_run
        from flows.cli.runs.waiting import RunWatch, WaitOptions
        from flows.core.control.ci.log import ci_commit, ci_log
        from flows.core.control.ci.trigger import idempotency_key, trigger_parameters

        destination = asked_destination() or None
        commit = ref or ci_commit(os.environ) or _head()
        with PrefectApi() as api:
            found = find_deployment(api, deployment)
            parameters = trigger_parameters(
                parameter or (),
                found.parameter_openapi_schema,
                ref=commit,
                destination=destination,
                named=ref is not None,
            )
            run = start_run(
                api, found, parameters, key or idempotency_key(commit, str(found.id), destination, parameters)
            )
            named = os.environ.get("GITHUB_STEP_SUMMARY")
            options = WaitOptions(
                wait, timeout, on_paused == "neutral", verbose, cancel_on_interrupt,
                summary or (Path(named) if named else None),
            )  # fmt: skip
            return RunWatch(api, run, ci_log(os.environ), options).end()

    raise typer.Exit(run_without_prefect(work, settings=False))


def _head() -> str | None:
    """The commit of the checkout that one stands in; None where there is none."""
    try:
        said = subprocess.run(
            ["git", "rev-parse", "--verify", "HEAD"],  # noqa: S607 — found on PATH, as everywhere
            capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout.strip() if said.returncode == 0 else None
