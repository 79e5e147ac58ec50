"""Twenty runs triggered at once: how long until all are done, and how long Prefect's API takes to answer meanwhile."""

import statistics
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

import httpx

from benchmarks.bench import Bench
from benchmarks.command import BenchmarkFailed
from benchmarks.measure import Section, times
from benchmarks.prefect_runs import api_client
from benchmarks.workers import bench_deployment, bench_worker, posted

RUNS, SIDE_BY_SIDE = 20, 4
_KINDS = ("process", "fork")
_PATIENCE = 600.0
_FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@dataclass
class _Answers:
    """How long the API takes to answer a question, asked again and again in a thread."""

    seconds: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> None:
        with api_client() as api:
            while not self.over.wait(0.1):
                began = time.monotonic()
                api.post("flow_runs/filter", json={"limit": 20, "sort": "START_TIME_DESC"})
                self.seconds.append(time.monotonic() - began)

    @property
    def words(self) -> str:
        slow = statistics.quantiles(self.seconds, n=20)[-1]
        return f"{statistics.median(self.seconds):.3f} s, 95th percentile {slow:.3f} s"


def measure(bench: Bench) -> list[Section]:
    """One table: each kind of worker, and the API of an idle server."""
    title = f"{RUNS} runs triggered at once, {SIDE_BY_SIDE} side by side"
    section = Section(title, ("worker", "all done", "ratio", "the API answers after"))
    done: dict[str, float] = {}
    with ExitStack() as stack:
        api = stack.enter_context(api_client())
        section.add("nothing runs", "", "", _asked(partial(time.sleep, 5))[1])
        for kind in _KINDS:
            with ExitStack() as inner:
                pool = inner.enter_context(bench_worker(api, kind, "--limit", str(SIDE_BY_SIDE)))
                deployment = inner.enter_context(bench_deployment(api, pool, "noop", "benchmarks/noop.py:noop"))
                _together(api, deployment, 1)  # whatever is compiled or cached at the first run
                done[kind], answers = _asked(partial(_together, api, deployment, RUNS))
                bench.tell(f"queue: {kind} {done[kind]:.1f} s")
            ratio = times(done[kind] / done["process"]) if kind != "process" else ""
            section.add(f"`{kind}`", f"{done[kind]:.1f} s", ratio, answers, strong=kind == "fork")
    section.notes.append("The flow is Prefect's, with one empty step. What the API is asked for: the 20 newest runs.")
    return [section]


def _asked(work: Callable[[], None]) -> tuple[float, str]:
    """Seconds that the work takes, and how the API answered meanwhile."""
    answers = _Answers()
    thread = threading.Thread(target=answers.ask, daemon=True)
    thread.start()
    began = time.monotonic()
    try:
        work()
        return time.monotonic() - began, answers.words
    finally:
        answers.over.set()
        thread.join(30)


def _together(api: httpx.Client, deployment: str, count: int) -> None:
    runs = {posted(api, f"deployments/{deployment}/create_flow_run", {})["id"] for _ in range(count)}
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        answer = api.post("flow_runs/filter", json={"flow_runs": {"id": {"any_": sorted(runs)}}})
        states = [one.get("state_type") for one in answer.json()] if answer.is_success else []
        if len(states) == count and set(states) <= _FINAL:
            if set(states) != {"COMPLETED"}:
                raise BenchmarkFailed(f"of {count} runs some ended {', '.join(sorted(set(states)))}")
            return
        time.sleep(0.5)
    raise BenchmarkFailed(f"{count} runs did not end within {_PATIENCE:g} s")
