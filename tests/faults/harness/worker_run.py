"""A run that a worker carries out, held at a point by a fault and then cancelled through Prefect's API."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from fault import VARIABLE, Fault

from tests import CHECKOUT
from tests.support import PATIENCE, wait_until
from tests.support.lab.lab import prefect_api

INJECT = Path(__file__).parents[1] / "inject"
BUSY = 503
_FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class Deployment:
    """A copy of one of Slipway's deployments in another pool, without its limit: several may run for stacks that do not
    meet."""

    def __init__(self, api: httpx.Client, flow: str, pool: str) -> None:
        self._api = api
        like = api.get(f"deployments/name/{flow}/{flow}").raise_for_status().json()
        fields = {name: like[name] for name in ("flow_id", "entrypoint", "path", "enforce_parameter_schema")}
        fields["pull_steps"] = [{"prefect.deployments.steps.set_working_directory": {"directory": str(CHECKOUT)}}]
        named = {"name": f"faults-{flow}-{uuid4().hex[:8]}", "work_pool_name": pool}
        self.id = posted(api, "deployments/", {**fields, **named})["id"]

    def run(self, parameters: dict[str, Any], environment: dict[str, str], fault: Fault) -> "WorkerRun":
        """Have the worker run it with these parameters and this fault."""
        path = os.pathsep.join(filter(None, [str(INJECT), os.environ.get("PYTHONPATH")]))
        env = {**environment, VARIABLE: fault.text(), "PYTHONPATH": path}
        query = {"parameters": parameters, "job_variables": {"env": env}, "idempotency_key": uuid4().hex}
        made = posted(self._api, f"deployments/{self.id}/create_flow_run", query)
        return WorkerRun(self._api, made["id"], Path(fault.directory))


class WorkerRun:
    """One run of the worker."""

    def __init__(self, api: httpx.Client, run: str, place: Path) -> None:
        self._api = api
        self.id = run
        self._place = place

    def held(self) -> None:
        """Wait until it has reached its point."""
        held = self._place / "held"
        wait_until(lambda: held.exists() or self.state()["type"] in _FINAL, why=self.logs, pause=0.1)
        assert held.exists(), f"not at its point: {self.state()}\n{self.logs()}"

    def cancel(self) -> None:
        """Ask Prefect's API to cancel it, as the UI does."""
        answer = posted(self._api, f"flow_runs/{self.id}/set_state", {"state": {"type": "CANCELLING"}})
        assert answer["status"] == "ACCEPT", answer

    def final(self, within: float = PATIENCE) -> str:
        """Wait for its final state; its type."""
        wait_until(lambda: self.state()["type"] in _FINAL, within, why=self.logs, pause=0.1)
        return str(self.state()["type"])

    def state(self) -> dict[str, Any]:
        return dict(self._api.get(f"flow_runs/{self.id}").raise_for_status().json()["state"])

    def logs(self) -> str:
        """What it logged."""
        query = {"logs": {"flow_run_id": {"any_": [self.id]}}, "sort": "TIMESTAMP_ASC"}
        return "\n".join(entry["message"] for entry in self._api.post("logs/filter", json=query).json())


def posted(api: httpx.Client, path: str, query: dict[str, Any]) -> dict[str, Any]:
    """Ask until the server is not too busy to answer: SQLite is locked now and then."""
    said: list[httpx.Response] = []

    def answered() -> bool:
        said.append(api.post(path, json=query))
        return said[-1].status_code != BUSY

    wait_until(answered, pause=0.5)
    return dict(said[-1].raise_for_status().json())


@contextmanager
def worker_of_an_open_pool(log: Path, kind: str) -> Iterator[str]:
    """A worker of this type, and the name of its pool, in which a run may bring its environment, and with it its fault:
    in the lab's own pool it may not."""
    pool = f"faults-{uuid4().hex[:8]}"
    # It ends with these tests, also where they are killed.
    argv = [
        "setpriv",
        "--pdeathsig",
        "KILL",
        sys.executable,
        "-m",
        "flows.cli",
        "worker",
        "--pool",
        pool,
        "--type",
        kind,
    ]
    with prefect_api() as api, log.open("wb") as file:
        posted(api, "work_pools/", {"name": pool, "type": kind})  # the worker gives it Prefect's usual template
        process = subprocess.Popen(
            argv, cwd=CHECKOUT, env={**os.environ, "PREFECT_WORKER_QUERY_SECONDS": "2"},
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
        try:
            yield pool
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
            api.delete(f"work_pools/{pool}")


@contextmanager
def copied_deployment(flow: str, pool: str) -> Iterator[Deployment]:
    """A copy of a deployment for as long as the context is open."""
    with prefect_api() as api:
        deployment = Deployment(api, flow, pool)
        try:
            yield deployment
        finally:
            api.delete(f"deployments/{deployment.id}")
