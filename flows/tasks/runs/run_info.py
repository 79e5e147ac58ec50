"""Prefect's own records of runs: who we are, and what to say of a run whose process is gone."""

import getpass
import socket
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from prefect import runtime
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId
from prefect.client.schemas.objects import FlowRun
from prefect.logging import get_logger
from prefect.states import Crashed

from flows.core.errors import Refused
from flows.core.records.record import Record, Run


def this_run() -> Run:
    """The run that this code is part of: the outermost one, which a person started."""
    root, here = str(runtime.flow_run.root_flow_run_id or ""), str(runtime.flow_run.id or "")
    url = str(runtime.flow_run.ui_url or "")
    return Run(
        id=root, name=str(runtime.flow_run.name or ""), url=url.replace(here, root) if root else url, by=whoami()
    )


def now() -> str:
    """The time as records keep it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def mark_crashed(record: Record, words: str) -> None:
    """Let Prefect know that the run of an unfinished record is gone, so that it does not stand there as running.

    We hold the droplet's lock, so it does not change anything any more. What Prefect says to this is of no consequence.
    """
    run = record.run.id
    if not run or run == str(runtime.flow_run.root_flow_run_id or ""):
        return
    try:
        with get_client(sync_client=True) as client:
            family = [client.read_flow_run(UUID(run)), *_children(client, UUID(run))]
            for one in family:
                if one.state is not None and not one.state.is_final() and not one.state.is_cancelling():
                    client.set_flow_run_state(one.id, Crashed(message=words), force=True)
    except Exception as error:
        get_logger("slipway.hooks").debug("run %s could not be marked: %s", run, error)


def _children(client: SyncPrefectClient, run: UUID) -> list[FlowRun]:
    wanted = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[run]))
    return list(client.read_flow_runs(flow_run_filter=wanted))


def whoami() -> str:
    """`user@host` of this process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def was_refused(state: Any) -> bool:
    """Whether a run ended because its input was refused: nothing was changed then."""
    failure = failure_of(state)
    return isinstance(failure, Refused) or getattr(failure, "exit_code", 1) == Refused.exit_code


def failure_of(state: Any) -> Any:
    """The error that a run failed by; a cancelled or crashed run has no result to ask for."""
    return state.result(raise_on_failure=False) if state.is_failed() else None
