"""`--worker`: a command's work is done by a worker, and shown here as if it were done here."""

import inspect
import math
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from flows.api.client import PrefectApi

WorkerOption = Annotated[
    bool, typer.Option("--worker", help="Let a worker do it, by the deployment of this name, and show its progress.")
]
# Commands that change something, or take their time, and have a deployment.
BY_WORKER = frozenset({
    "slipway_release", "slipway_build_push", "slipway_deploy", "slipway_validate", "slipway_deploy_home",
    "slipway_promote", "slipway_watch", "slipway_switch_back", "slipway_rollback", "slipway_reconcile",
    "slipway_prune", "slipway_snapshot", "slipway_provision", "slipway_decommission", "slipway_rehearse",
    "slipway_adopt", "slipway_registry_gc", "slipway_registry_retention",
})  # fmt: skip
_wanted: ContextVar[bool] = ContextVar("slipway_worker", default=False)


def worker_wanted() -> bool:
    """Whether the command line asks for a worker."""
    return _wanted.get()


def with_worker(function: Callable[..., Any]) -> Callable[..., Any]:
    """The command with `--worker`, where it is one of those that take it."""
    if function.__name__ not in BY_WORKER:
        return function

    @wraps(function)
    def run(*args: Any, worker: bool = False, **keywords: Any) -> Any:
        token = _wanted.set(worker)
        try:
            return function(*args, **keywords)
        finally:
            _wanted.reset(token)

    signature = inspect.signature(function)
    option = inspect.Parameter("worker", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=WorkerOption)
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), option])  # type: ignore[attr-defined]
    run.__annotations__ = {**function.__annotations__, "worker": WorkerOption}
    return run


def hand_over(flow: str, keywords: Mapping[str, Any], *, verbose: bool) -> NoReturn:
    """Let a worker do what a command would do here, show its progress, and end as it ended.

    Args:
        flow: `module:name`; its deployment has the flow's name.
        keywords: the flow's parameters.

    Raises:
        LocalPath, DeploymentMissing, TriggerRefused, and what the API's client raises.
        typer.Exit: with the exit code that the command would have had.
    """
    from uuid import uuid4

    from flows.api.client import PrefectApi
    from flows.api.runs import find_deployment, start_run
    from flows.cli.runs.waiting import WaitOptions
    from flows.cli.terminal.worker_run import WorkerRun
    from flows.core.control.ci.log import PlainLog
    from flows.core.control.handover import deployment_of, parameters_elsewhere
    from flows.settings import Settings

    with PrefectApi() as api:
        given = parameters_elsewhere(keywords, here=_on_this_machine(api), absolute=_absolute)
        if "destination" not in given and (to := Settings().destination):
            given["destination"] = to
        run = start_run(api, find_deployment(api, deployment_of(flow)), given, f"slipway-{uuid4()}", "terminal")
        raise typer.Exit(WorkerRun(api, run, PlainLog(), WaitOptions(timeout=math.inf, verbose=verbose)).end())


def _on_this_machine(api: "PrefectApi") -> bool:
    """Whether the server is here, and with it, by all that is known, the worker."""
    import httpx

    from blocks.http.clear_text import is_loopback

    return is_loopback(httpx.URL(api.connection.url).netloc.decode())


def _absolute(path: str) -> str | None:
    import os

    parts = [Path(one).expanduser() for one in path.split(os.pathsep)]
    if not all(one.exists() for one in parts):
        return None
    return os.pathsep.join(str(one.resolve()) for one in parts)
