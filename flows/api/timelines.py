"""The timelines of runs, by Prefect's API: a run, the flows that it called, and the steps of them all.

Source: https://docs.prefect.io/v3/api-ref/rest-api
"""

from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from blocks.errors import PrefectFailed
from flows.api.client import PrefectApi
from flows.api.runs import run_link
from flows.core.insight.story.timeline import RunTimeline, Span, seconds_between

Model = TypeVar("Model", bound=BaseModel)
_PAGE = 200
# Flows that call flows that call flows: release, promote, deploy, rollback.
_DEEPEST, _MOST_STEPS = 5, 2000


class _Timed(BaseModel):
    """A run of a flow or of a task, with its times."""

    id: UUID
    name: str
    state_type: str | None = None
    start_time: str | None = None
    total_run_time: float = 0.0


class _TimedFlow(_Timed):
    parent_task_run_id: UUID | None = None


class _TimedTask(_Timed):
    flow_run_id: UUID | None = None


def read_timelines(api: PrefectApi, ids: Iterable[str]) -> tuple[list[RunTimeline], list[str]]:
    """The timelines of runs by their ids, and those that Prefect does not know any more.

    Raises:
        Unreachable, LoginRefused, PrefectFailed
    """
    found, gone = [], []
    for run_id in ids:
        try:
            one = read_timeline(api, UUID(run_id))
        except ValueError:
            one = None  # a record that somebody wrote by hand
        if one is None:
            gone.append(run_id)
        else:
            found.append(one)
    return found, gone


def read_timeline(api: PrefectApi, run_id: UUID) -> RunTimeline | None:
    """The timeline of a run; None where Prefect does not know it. Raises what the API's client raises."""
    said = api.get(f"/flow_runs/{run_id}")
    if said is None:
        return None
    root = _read(_TimedFlow, said, api)
    depths, flows, level = {root.id: 0}, [root], [root]
    for depth in range(1, _DEEPEST):
        asked = {"flow_runs": {"parent_flow_run_id": {"any_": [str(one.id) for one in level]}}, "limit": _PAGE}
        level = [_read(_TimedFlow, one, api) for one in _listed(api.post("/flow_runs/filter", asked), api)]
        level = [one for one in level if one.id not in depths]
        if not level:
            break
        depths |= {one.id: depth for one in level}
        flows += level
    tasks, whole = _tasks(api, list(depths))
    held = {one.parent_task_run_id for one in flows}
    spans = [_span(root.start_time, one, depths[one.id], step=False) for one in flows]
    for task in tasks:
        if task.id not in held and task.flow_run_id in depths:
            spans.append(_span(root.start_time, task, depths[task.flow_run_id] + 1, step=True))
    first, rest = spans[0], sorted(spans[1:], key=lambda span: (span.begin, span.depth))
    return RunTimeline(str(root.id), root.name, run_link(api, root.id), root.start_time or "", (first, *rest), whole)


def _tasks(api: PrefectApi, ids: list[UUID]) -> tuple[list[_TimedTask], bool]:
    found: list[_TimedTask] = []
    for offset in range(0, _MOST_STEPS, _PAGE):
        asked = {"flow_runs": {"id": {"any_": [str(one) for one in ids]}}, "limit": _PAGE, "offset": offset}
        page = [_read(_TimedTask, one, api) for one in _listed(api.post("/task_runs/filter", asked), api)]
        found += page
        if len(page) < _PAGE:
            return found, True
    return found, False


def _span(began: str | None, one: _Timed, depth: int, *, step: bool) -> Span:
    begin = seconds_between(began, one.start_time)
    if begin is None:
        return Span(one.name, 0.0, 0.0, depth, step, one.state_type or "")
    return Span(one.name, begin, max(0.0, one.total_run_time), depth, step, one.state_type or "")


def _listed(said: object, api: PrefectApi) -> list[object]:
    if not isinstance(said, list):
        raise PrefectFailed(f"what answers at {api.connection.url} is not Prefect's API")
    return said


def _read(model: type[Model], said: object, api: PrefectApi) -> Model:
    try:
        return model.model_validate(said)
    except ValidationError:
        raise PrefectFailed(f"what answers at {api.connection.url} is not Prefect's API: no times of a run") from None
