"""What Prefect's API knows of the runs of a command, cut into the pieces that its time went to."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

_PATIENCE = 15.0
_ATTEMPTS = 10
_BEGUN = datetime.now(UTC)


@dataclass(frozen=True)
class Span:
    """A piece of a command's time; `parent` is the stage that it is a part of, '' if it stands for itself."""

    name: str
    seconds: float
    parent: str = ""
    stage: bool = False


def timeline(flow: str, began: float, ended: float) -> list[Span]:
    """Cut the time from `began` to `ended` (Unix time) of a command that ran `flow` into pieces.

    Those without a parent add up to the whole; the others to the stage they are a part of.
    """
    with _client() as api:
        root = _newest(api, flow, began)
        children = _ask(api, "flow_runs/filter", {"flow_runs": {"parent_flow_run_id": {"any_": [root["id"]]}}})
        stages = sorted(children, key=lambda run: run["created"]) or [root]
        return list(_cut(api, root, stages, began, ended))


def forget_runs(name: str) -> None:
    """Delete the runs and artifacts that a benchmark made, told by the name in theirs."""
    with _client() as api:
        ours = {"flow_runs": {"name": {"like_": name}, "start_time": {"after_": _BEGUN.isoformat()}}}
        for _ in range(_ATTEMPTS):  # a busy server may refuse one
            runs = _ask(api, "flow_runs/filter", ours)
            for run in runs:
                api.delete(f"flow_runs/{run['id']}")
            if not runs:
                break
        for artifact in _ask(api, "artifacts/filter", {"artifacts": {"key": {"like_": f"%{name}%"}}}):
            api.delete(f"artifacts/{artifact['id']}")


def _cut(
    api: httpx.Client, root: dict[str, Any], stages: list[dict[str, Any]], began: float, ended: float
) -> Iterator[Span]:
    yield Span("interpreter, imports, first request to Prefect", _time(root["created"]) - began)
    at = _time(root["created"])
    for stage in stages:
        name, end = _flow(api, stage), _time(stage["end_time"])
        yield Span(f"Prefect: from there to the start of {name}", _time(stage["start_time"]) - at)
        yield Span(name, _spent(stage), stage=True)
        spent: dict[str, float] = {}
        for task in _tasks(api, stage["id"]):
            kind = task["task_key"].rsplit("-", 1)[0].replace("_", " ")
            spent[kind] = spent.get(kind, 0.0) + _spent(task)
        yield from (Span(kind, took, name) for kind, took in spent.items())
        yield Span("in no task: blocks, artifacts, Prefect's own", _spent(stage) - sum(spent.values()), name)
        at = end
    if stages != [root]:
        yield Span("Prefect: from there to the end of the run", _time(root["end_time"]) - at)
    yield Span("exit", ended - _time(root["end_time"]))


def _tasks(api: httpx.Client, run: str) -> list[dict[str, Any]]:
    """The task runs of a flow run. They come to the server as events: look until no more come."""
    deadline = time.monotonic() + _PATIENCE
    before: list[str] | None = None
    while True:
        found = _ask(api, "task_runs/filter", {"task_runs": {"flow_run_id": {"any_": [run]}}})
        names = [task["id"] for task in found if task.get("end_time")]
        if (names == before and len(names) == len(found)) or time.monotonic() > deadline:
            return sorted((task for task in found if task.get("end_time")), key=lambda task: task["start_time"])
        before = names
        time.sleep(0.4)


def _newest(api: httpx.Client, flow: str, since: float) -> dict[str, Any]:
    after = datetime.fromtimestamp(since, UTC).isoformat()
    query = {
        "flows": {"name": {"any_": [flow]}},
        "flow_runs": {"start_time": {"after_": after}},
        "sort": "START_TIME_DESC",
    }
    ours = [run for run in _ask(api, "flow_runs/filter", query) if os.environ["SLIPWAY_STACK"] in run["name"]]
    return ours[0]


def _flow(api: httpx.Client, run: dict[str, Any]) -> str:
    return str(api.get(f"flows/{run['flow_id']}").raise_for_status().json()["name"])


def _ask(api: httpx.Client, path: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.post(path, json={**query, "limit": 200}).raise_for_status().json()
    return found


def _client() -> httpx.Client:
    return httpx.Client(base_url=os.environ["PREFECT_API_URL"].rstrip("/") + "/", timeout=30)


def _spent(run: dict[str, Any]) -> float:
    return _time(run["end_time"]) - _time(run["start_time"])


def _time(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
