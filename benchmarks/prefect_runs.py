"""What Prefect's API knows of the runs of a command, cut into the pieces that its time went to."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from prefect.settings import get_current_settings

_PATIENCE = 15.0
_ATTEMPTS = 10
PREFECT = "Prefect:"
_BEGUN = datetime.now(UTC)


@dataclass(frozen=True)
class Span:
    """A piece of a command's time; `parent` is the stage that it is a part of, '' if it stands for itself."""

    name: str
    seconds: float
    parent: str = ""
    stage: bool = False


def timeline(flow: str, began: float, ended: float, imports: float = 0.0) -> list[Span]:
    """Cut the time from `began` to `ended` (Unix time) of a command that ran `flow` into pieces.

    Those without a parent add up to the whole; the others to the stage they are a part of.

    Args:
        imports: seconds until the process first connected to anything.
    """
    with api_client() as api:
        root = _newest(api, flow, began)
        children = _ask(api, "flow_runs/filter", {"flow_runs": {"parent_flow_run_id": {"any_": [root["id"]]}}})
        stages = sorted(children, key=lambda run: run["created"]) or [root]
        return list(_cut(api, root, stages, (began, ended), imports))


def forget_runs(name: str) -> None:
    """Delete the runs and artifacts that a benchmark made, by the name in theirs. A busy server may refuse some."""
    runs = {"flow_runs": {"name": {"like_": name}, "start_time": {"after_": _BEGUN.isoformat()}}}
    artifacts = {"artifacts": {"key": {"like_": f"%{name}%"}}}
    with api_client() as api:
        for kind, query in (("flow_runs", runs), ("artifacts", artifacts)):
            for _ in range(_ATTEMPTS):
                try:
                    found = _ask(api, f"{kind}/filter", query)
                    for entry in found:
                        api.delete(f"{kind}/{entry['id']}")
                    if not found:
                        break
                except httpx.HTTPError:
                    time.sleep(1)


def _cut(
    api: httpx.Client, root: dict[str, Any], stages: list[dict[str, Any]], whole: tuple[float, float], imports: float
) -> Iterator[Span]:
    began, ended = whole
    if imports:
        yield Span("interpreter and imports", imports)
    yield Span(f"{PREFECT} its client, the run is created", _time(root["created"]) - began - imports)
    at, before = _time(root["created"]), ""
    if stages != [root]:
        at, before = _time(root["start_time"]), _flow(api, root)
        yield Span(f"{PREFECT} {before} starts", at - _time(root["created"]))
    for stage in stages:
        name = _flow(api, stage)
        if before:
            what = (
                f"{PREFECT} {before} ends"
                if at != _time(root["start_time"])
                else "connection and blocks for all stages"
            )
            yield Span(what, _time(stage["created"]) - at)
        yield Span(f"{PREFECT} {name} starts", _time(stage["start_time"]) - _time(stage["created"]))
        yield from _stage(name, stage, _tasks(api, stage["id"]))
        at, before = _time(stage["end_time"]), name
    if stages != [root]:
        yield Span(f"{PREFECT} {before} ends, and the whole run", _time(root["end_time"]) - at)
    yield Span("exit", ended - _time(root["end_time"]))


def _stage(name: str, stage: dict[str, Any], tasks: list[dict[str, Any]]) -> Iterator[Span]:
    """The stage and its tasks. Tasks that ran side by side count in full, so they may add up to more than the stage."""
    yield Span(name, _spent(stage), stage=True)
    spent: dict[str, float] = {}
    for task in tasks:
        kind = task["task_key"].rsplit("-", 1)[0].replace("_", " ")
        spent[kind] = spent.get(kind, 0.0) + _spent(task)
    yield from (Span(kind, took, name) for kind, took in spent.items())
    yield Span("in no task: blocks, artifacts, Prefect's own", _spent(stage) - _covered(tasks), name)


def _covered(tasks: list[dict[str, Any]]) -> float:
    """Seconds in which at least one of the tasks ran."""
    covered, until = 0.0, 0.0
    for task in tasks:
        start, end = max(_time(task["start_time"]), until), _time(task["end_time"])
        covered += max(0.0, end - start)
        until = max(until, end)
    return covered


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


def api_client() -> httpx.Client:
    """A client of the Prefect API that is configured here, with its login."""
    login = get_current_settings().api.auth_string
    name, _, password = login.get_secret_value().partition(":") if login else ("", "", "")
    return httpx.Client(base_url=os.environ["PREFECT_API_URL"], timeout=30, auth=(name, password) if name else None)


def _spent(run: dict[str, Any]) -> float:
    return _time(run["end_time"]) - _time(run["start_time"])


def _time(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
