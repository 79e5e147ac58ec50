"""Workers and deployments of a benchmark's own, made through Prefect's API and gone when they are left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from benchmarks.command import BenchmarkFailed
from benchmarks.lab import CHECKOUT, NAME

_PATIENCE = 180.0


@contextmanager
def bench_worker(api: httpx.Client, kind: str, *options: str) -> Iterator[str]:
    """A worker of this type; the name of its pool."""
    pool = f"{NAME}-{kind}"
    argv = [sys.executable, "-m", "flows.cli", "worker", "--pool", pool, "--type", kind, *options]
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PREFECT_WORKER_QUERY_SECONDS": "2"}
    process = subprocess.Popen(
        argv, cwd=CHECKOUT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _until_online(api, pool)
        yield pool
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        api.delete(f"work_pools/{pool}")


def _until_online(api: httpx.Client, pool: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        found = api.get(f"work_pools/{pool}")
        if found.status_code == httpx.codes.OK and found.json().get("status") == "READY":
            return
        time.sleep(0.5)
    raise BenchmarkFailed(f"the worker of the pool {pool} did not begin within {_PATIENCE:g} s")


@contextmanager
def bench_deployment(api: httpx.Client, pool: str, flow: str, entrypoint: str) -> Iterator[str]:
    pull = [{"prefect.deployments.steps.set_working_directory": {"directory": str(CHECKOUT)}}]
    query = {
        "name": pool, "flow_id": posted(api, "flows/", {"name": flow})["id"], "work_pool_name": pool,
        "entrypoint": entrypoint, "pull_steps": pull, "enforce_parameter_schema": False,
    }  # fmt: skip
    deployment = str(posted(api, "deployments/", query)["id"])
    try:
        yield deployment
    finally:
        api.delete(f"deployments/{deployment}")


def posted(api: httpx.Client, path: str, query: dict[str, Any]) -> dict[str, Any]:
    """The answer; a server that is too busy (503) is asked again."""
    deadline = time.monotonic() + _PATIENCE
    while (answer := api.post(path, json=query)).status_code == httpx.codes.SERVICE_UNAVAILABLE:
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    made: dict[str, Any] = answer.raise_for_status().json()
    return made
