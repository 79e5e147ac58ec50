"""Lets runs of a deployment that wait in the queue give way to a newer one, through the Prefect API."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectException
from prefect.logging import get_logger, get_run_logger
from prefect.states import Cancelled

from flows.core.control.events import SUPERSEDED
from flows.core.control.superseding import QueuedRun, RunStatus, superseded_runs, superseding_run
from flows.core.errors import GaveWay, SlipwayError
from flows.settings import Settings
from flows.settings.choice import chosen
from flows.tasks.runs.declaration import SUPERSEDED_NAME
from flows.tasks.runs.events import emit
from flows.tasks.stack.project import stack_name

_MOST = 200
_STATUS: dict[StateType, RunStatus] = {
    StateType.SCHEDULED: "queued",
    StateType.PENDING: "running",
    StateType.RUNNING: "running",
    StateType.PAUSED: "running",
    StateType.COMPLETED: "done",
}


def give_way(stack: str | None, settings: Settings) -> None:
    """The first step of a run that a deployment has: older ones in the queue end, and so does this one if it is not the
    newest. A run in a terminal, and one that another run started, is nobody's to end. Where the server does not say
    who else is there, the run goes on.

    Raises:
        GaveWay: a newer one does what this one would have done.
    """
    context = FlowRunContext.get()
    mine = context.flow_run if context else None
    if mine is None or mine.deployment_id is None or mine.parent_task_run_id is not None or not settings.supersede:
        return
    try:
        with get_client(sync_client=True) as client:
            me, others = _look(client, client.read_flow_run(mine.id))
            newer = superseding_run(me, others, datetime.now(UTC))
            name = stack_name(stack or settings.stack)
            if not me.again:
                for older, instead in superseded_runs([me, *others], datetime.now(UTC)):
                    _end(client, older, instead, name)
                    get_run_logger().info("%s is %s", older.name, instead.sentence())
    except (httpx.HTTPError, PrefectException) as error:
        get_run_logger().warning("whether a newer run waits is not known: %s", type(error).__name__)
        return
    if newer:
        emit(SUPERSEDED, stack=name, previous=me.id, run=newer.id, reason=newer.sentence())
        raise GaveWay(newer.sentence())


def end_superseded(_flow: Any, flow_run: Any, _state: Any) -> None:
    """Hook of a run that ended: of those that wait by now only the newest of each place is left to begin."""
    with chosen(str(flow_run.parameters.get("destination") or ""), anywhere=True):
        _end_queued(flow_run, Settings())


def _end_queued(flow_run: FlowRun, settings: Settings) -> None:
    if flow_run.deployment_id is None or flow_run.parent_task_run_id is not None or not settings.supersede:
        return
    try:
        with get_client(sync_client=True) as client:
            found = superseded_runs(_look(client, flow_run)[1], datetime.now(UTC))
            for older, newer in found:
                _end(client, older, newer, stack_name(older.parameters.get("stack") or settings.stack))
    except (httpx.HTTPError, PrefectException, SlipwayError) as error:
        get_logger("slipway.hooks").warning("the queue was left as it is: %s", type(error).__name__)


def _look(client: SyncPrefectClient, mine: FlowRun) -> tuple[QueuedRun, list[QueuedRun]]:
    """This run, and those that matter to it: older ones that wait, and newer ones."""
    asked = _as_queued(mine).asked
    older = client.read_flow_runs(
        flow_run_filter=_filter(mine, [StateType.SCHEDULED], FlowRunFilterExpectedStartTime(before_=asked)),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=_MOST,
    )  # fmt: skip
    newer = client.read_flow_runs(
        flow_run_filter=_filter(mine, list(_STATUS), FlowRunFilterExpectedStartTime(after_=asked)),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=_MOST,
    )  # fmt: skip
    found = {run.id: _as_queued(run) for run in (*older, *newer) if run.id != mine.id}
    return _as_queued(mine), list(found.values())


def _filter(mine: FlowRun, states: list[StateType], asked: FlowRunFilterExpectedStartTime) -> FlowRunFilter:
    return FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[mine.deployment_id] if mine.deployment_id else []),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=states)),
        expected_start_time=asked,
    )


def _as_queued(run: FlowRun) -> QueuedRun:
    created = run.created or datetime.now(UTC)
    status: RunStatus = _STATUS.get(run.state_type, "over") if run.state_type else "over"
    return QueuedRun(
        str(run.id), run.name, run.expected_start_time or created, created, status, run.parameters,
        again=run.run_count > (status != "queued"),
    )  # fmt: skip


def _end(client: SyncPrefectClient, older: QueuedRun, newer: QueuedRun, stack: str) -> None:
    words = newer.sentence()
    client.set_flow_run_state(UUID(older.id), Cancelled(name=SUPERSEDED_NAME, message=words))
    emit(SUPERSEDED, stack=stack, previous=older.id, run=newer.id, reason=words)
