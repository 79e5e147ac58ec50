"""From a trigger through the API to the first step: Prefect's process worker and ours, with our flow and with one that
does nothing."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from benchmarks.bench import Bench
from benchmarks.command import BenchmarkFailed
from benchmarks.measure import Section, alternate, judged, median, seconds, times
from benchmarks.prefect_runs import api_client
from benchmarks.workers import bench_deployment, bench_worker, posted

TARGET_S = 3.0
_KINDS = ("process", "fork")
_FLOWS = {"status": ("flows/status.py:status", {"stack": "compose"}), "noop": ("benchmarks/noop.py:noop", {})}
_PATIENCE = 180.0
_FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@dataclass
class _Side:
    """One flow on one worker: seconds from the trigger until it runs, until its first step, until it is done."""

    api: httpx.Client
    deployment: str
    parameters: dict[str, str]
    running: list[float] = field(default_factory=list)
    step: list[float] = field(default_factory=list)
    done: list[float] = field(default_factory=list)

    def once(self) -> float:
        query = {"parameters": self.parameters}
        began = time.time()
        run = posted(self.api, f"deployments/{self.deployment}/create_flow_run", query)["id"]
        found = self._ended(run)
        self.running.append(_time(found["start_time"]) - began)
        self.done.append(_time(found["end_time"]) - began)
        self.step.append(_first_step(self.api, run) - began)
        return self.step[-1]

    def _ended(self, run: str) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.api.get(f"flow_runs/{run}").json()
            if found.get("state_type") == "COMPLETED":
                return found
            if found.get("state_type") in _FINAL:
                raise BenchmarkFailed(f"the run {run} ended {found['state_type']}: {found['state']['message']}")
            time.sleep(0.3)
        raise BenchmarkFailed(f"the run {run} did not end within {_PATIENCE:g} s")


def measure(bench: Bench) -> list[Section]:
    """One table: each flow on each worker."""
    sides: dict[str, _Side] = {}
    with ExitStack() as stack:
        api = stack.enter_context(api_client())
        for kind in _KINDS:
            pool = stack.enter_context(bench_worker(api, kind))
            for flow, (entrypoint, parameters) in _FLOWS.items():
                deployment = stack.enter_context(bench_deployment(api, pool, flow, entrypoint))
                sides[f"{flow} on {kind}"] = _Side(api, deployment, parameters)
        for side in sides.values():  # whatever is compiled or cached at the first run
            side.once()
            for warm in (side.running, side.step, side.done):
                warm.clear()
        alternate(
            bench.rounds,
            {name: side.once for name, side in sides.items()},
            lambda words: bench.tell(f"trigger: {words}"),
        )
    return [_table(sides)]


def _table(sides: dict[str, _Side]) -> Section:
    columns = ("flow", "until it runs", "until its first step", "until it is done", "first step: ratio", "target", "")
    section = Section("Trigger to first step", columns)
    for flow in _FLOWS:
        before, ours = (sides[f"{flow} on {kind}"] for kind in _KINDS)
        section.add(f"`{flow}`, process worker", *map(seconds, (before.running, before.step, before.done)), "", "", "")
        factor = times(median(ours.step) / median(before.step))
        kept = "met" if median(ours.running) <= TARGET_S else "not met"
        section.add(
            f"`{flow}`, fork worker", *map(seconds, (ours.running, ours.step, ours.done)), factor,
            f"runs ≤ {TARGET_S:g} s", kept, strong=True,
        )  # fmt: skip
    ours, plain = sides["status on fork"], sides["noop on fork"]
    section.add(
        "`status` beside Prefect's no-op, both forked", "", "", "", *judged(median(ours.step) / median(plain.step), 1.5)
    )
    section.notes.append("Both workers look for runs every 2 s, and the time until they look is in every number.")
    return section


def _first_step(api: httpx.Client, run: str) -> float:
    """When the first task of a run began. Task runs come to the server as events, so a little later."""
    deadline = time.monotonic() + _PATIENCE
    query = {"task_runs": {"flow_run_id": {"any_": [run]}}, "limit": 50}
    while time.monotonic() < deadline:
        answer = api.post("task_runs/filter", json=query)
        begun = [task["start_time"] for task in answer.json() if task.get("start_time")] if answer.is_success else []
        if begun:
            return min(map(_time, begun))
        time.sleep(0.3)
    raise BenchmarkFailed(f"no step of the run {run} is known to the server")


def _time(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
