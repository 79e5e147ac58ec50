"""Runs of deployments, by Prefect's API: started with a key that keeps them from starting twice, and looked at.

Source: https://docs.prefect.io/v3/api-ref/rest-api
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from pydantic import BaseModel, Field

from blocks.errors import PrefectFailed
from flows.api.answers import read_list as _listed
from flows.api.answers import read_model as _read
from flows.api.client import PrefectApi
from flows.core.errors import DeploymentMissing, TriggerRefused

_LINES, _DEEPEST = 200, 8
# It knows the deployment, and takes neither these parameters nor this state of it.
_REFUSED = (409, 422)


class PrefectDeployment(BaseModel):
    """A deployment: what runs are started of."""

    id: UUID
    name: str
    parameter_openapi_schema: dict[str, Any] = Field(default_factory=dict)


class RunState(BaseModel):
    """A state of a run."""

    type: str
    name: str
    message: str | None = None


class PrefectRun(BaseModel):
    """A run of a flow."""

    id: UUID
    name: str
    state: RunState | None = None
    total_run_time: float = 0.0
    start_time: str | None = None
    parent_task_run_id: UUID | None = None


class PausedRun(BaseModel):
    """A run that waits for an answer: what it was started with, and since when it waits."""

    class Since(BaseModel):
        """The state that it is in."""

        timestamp: str = ""

    id: UUID
    name: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    state: Since | None = None


class LatestArtifact(BaseModel):
    """What stands now under an artifact's key."""

    key: str
    description: str | None = None
    updated: str | None = None


class StepDetails(BaseModel):
    """What Prefect says of a task's end: the run of the flow that it stands for."""

    child_flow_run_id: UUID | None = None


class StepState(BaseModel):
    """The state of a task."""

    state_details: StepDetails = StepDetails()


class FinishedTask(BaseModel):
    """A task of a run."""

    id: UUID
    name: str
    state_type: str | None = None
    state_name: str | None = None
    total_run_time: float = 0.0
    start_time: str | None = None
    state: StepState | None = None

    @property
    def called(self) -> bool:
        """Whether it stands for a flow that the run called, which has steps of its own."""
        return bool(self.state and self.state.state_details.child_flow_run_id)


class RunLogLine(BaseModel):
    """A line of a run's log."""

    id: UUID
    level: int
    message: str
    timestamp: str


@dataclass
class LogPosition:
    """Up to where a run's log was read."""

    since: str = ""
    seen: frozenset[UUID] = frozenset()


def find_deployment(api: PrefectApi, name: str) -> PrefectDeployment:
    """The deployment of that name.

    Args:
        name: `flow/deployment`; one word stands for both.

    Raises:
        DeploymentMissing, and what the API's client raises.
    """
    flow, slash, deployment = name.partition("/")
    words = (flow, deployment if slash else flow)
    said = api.get("/deployments/name/" + "/".join(quote(word, safe="") for word in words)) if all(words) else None
    if said is None:
        raise DeploymentMissing(
            f"Prefect at {api.connection.url} has no deployment {'/'.join(words)}. Which there are: "
            "prefect deployment ls. From a checkout: prefect deploy --all"
        )
    return _read(PrefectDeployment, said, api)


def start_run(
    api: PrefectApi, deployment: PrefectDeployment, parameters: Mapping[str, Any], key: str, tag: str = "ci"
) -> PrefectRun:
    """Start a run; where one was started with this key, that one is the answer.

    Args:
        tag: that it gets beside the deployment's own.

    Raises:
        TriggerRefused, and what the API's client raises.
    """
    body = {"parameters": dict(parameters), "idempotency_key": key, "tags": [tag]}
    try:
        said = api.post(f"/deployments/{deployment.id}/create_flow_run", body)
    except PrefectFailed as error:
        if error.status in _REFUSED:
            raise TriggerRefused(
                f"no run was started of {deployment.name}: {error}. Its parameters: prefect deployment inspect"
            ) from None
        raise
    return _read(PrefectRun, said, api)


def find_run(api: PrefectApi, run_id: UUID) -> PrefectRun:
    """The run as it is now. Raises what the API's client raises."""
    return _read(PrefectRun, api.get(f"/flow_runs/{run_id}"), api)


def cancel_run(api: PrefectApi, run_id: UUID) -> None:
    """Ask for the run's end. Raises what the API's client raises."""
    api.post(f"/flow_runs/{run_id}/set_state", {"state": {"type": "CANCELLING", "name": "Cancelling"}})


def called_runs(api: PrefectApi, run_ids: Iterable[UUID]) -> list[PrefectRun]:
    """The runs of the flows that these runs called, in their order; what those called is asked for by their ids."""
    body = {
        "flow_runs": {"parent_flow_run_id": {"any_": [str(one) for one in run_ids]}},
        "sort": "START_TIME_ASC",
        "limit": _LINES,
    }
    return [_read(PrefectRun, one, api) for one in _listed(api.post("/flow_runs/filter", body), api)]


def finished_steps(api: PrefectApi, *run_ids: UUID) -> list[FinishedTask]:
    """The runs' tasks that ended, the flows that they called among them, in their order; the newest 200 of them."""
    body = {
        "flow_runs": {"id": {"any_": [str(one) for one in run_ids]}},
        "task_runs": {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]}}},
        "sort": "END_TIME_DESC",
        "limit": _LINES,
    }
    found = [_read(FinishedTask, one, api) for one in _listed(api.post("/task_runs/filter", body), api)]
    return sorted(found, key=lambda step: step.start_time or "")


def next_lines(api: PrefectApi, run_ids: Iterable[UUID], level: int, position: LogPosition) -> list[RunLogLine]:
    """The lines of the runs' logs that came since; `position` moves on."""
    asked: dict[str, Any] = {"flow_run_id": {"any_": [str(one) for one in run_ids]}, "level": {"ge_": level}}
    if position.since:
        asked["timestamp"] = {"after_": position.since}
    said = api.post("/logs/filter", {"logs": asked, "sort": "TIMESTAMP_ASC", "limit": _LINES})
    lines = [_read(RunLogLine, one, api) for one in _listed(said, api)]
    fresh = [line for line in lines if line.id not in position.seen]
    if lines:
        position.since = lines[-1].timestamp
        position.seen = frozenset(line.id for line in lines if line.timestamp == position.since) | (
            position.seen if position.since == lines[0].timestamp else frozenset()
        )
    return fresh


def runs_below(api: PrefectApi, run_id: UUID) -> list[UUID]:
    """The runs that the run called, and that those called, down to the last, level by level; the first 200 of them, and
    those at most eight calls away. Raises what the API's client raises.
    """
    found: dict[UUID, None] = {}
    above = [run_id]
    for _ in range(_DEEPEST):
        if not above or len(found) >= _LINES:
            break
        below = [one.id for one in called_runs(api, above)]
        above = [one for one in below if one not in found and one != run_id]
        found |= dict.fromkeys(above)
    return list(found)[:_LINES]


def run_artifacts(api: PrefectApi, run_ids: Iterable[UUID]) -> list[dict[str, Any]]:
    """The tables that these runs left, the oldest first; the newest 20 of them."""
    asked = {
        "flow_run_id": {"any_": [str(one) for one in run_ids]},
        "type": {"any_": ["table"]},
    }
    body = {"artifacts": asked, "sort": "CREATED_DESC", "limit": 20}
    found = [one for one in _listed(api.post("/artifacts/filter", body), api) if isinstance(one, dict)]
    return sorted(found, key=lambda one: str(one.get("created")))


def paused_runs(api: PrefectApi) -> list[PausedRun]:
    """The runs that wait for an answer, the newest first. Raises what the API's client raises."""
    asked = {"flow_runs": {"state": {"type": {"any_": ["PAUSED"]}}}, "sort": "START_TIME_DESC", "limit": _LINES}
    return [_read(PausedRun, one, api) for one in _listed(api.post("/flow_runs/filter", asked), api)]


def latest_artifacts(api: PrefectApi, keys: Sequence[str]) -> dict[str, LatestArtifact]:
    """What stands under these keys, where there is something. Raises what the API's client raises."""
    body = {"artifacts": {"key": {"any_": list(keys)}}, "limit": _LINES}
    found = [_read(LatestArtifact, one, api) for one in _listed(api.post("/artifacts/latest/filter", body), api)]
    return {one.key: one for one in found}


def run_link(api: PrefectApi, run_id: UUID) -> str:
    """The run's page in the UI."""
    return f"{api.ui}/runs/flow-run/{run_id}"
