"""A worker's runs behave alike, whether each is a fork or a new Python: kills, failures, cancels, job variables."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests import CHECKOUT
from tests.faults.harness.sample import WORKER_TYPES
from tests.faults.harness.worker_run import WorkerRun, posted, worker_of_an_open_pool
from tests.support import wait_until
from tests.support.lab.lab import prefect_api
from tests.support.worker.forks import ended

pytestmark = pytest.mark.faults
HERE = "tests/faults/worker/probe.py:worker_probe"
Start = Callable[..., WorkerRun]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a run of the probe in a pool."""
    with prefect_api() as api:
        flow = posted(api, "flows/", {"name": "worker-probe"})["id"]
        made = []

        def run(pool: str, act: str = "", entrypoint: str = HERE, **variables: Any) -> WorkerRun:
            pull = [{"prefect.deployments.steps.set_working_directory": {"directory": str(CHECKOUT)}}]
            query = {
                "name": f"probe-{uuid4().hex[:8]}", "flow_id": flow, "work_pool_name": pool,
                "entrypoint": entrypoint, "pull_steps": pull,
            }  # fmt: skip
            made.append(posted(api, "deployments/", query)["id"])
            query = {"parameters": {"place": str(tmp_path), "act": act}, "job_variables": variables}
            return WorkerRun(api, posted(api, f"deployments/{made[-1]}/create_flow_run", query)["id"], tmp_path)

        yield run
        for deployment in made:
            api.delete(f"deployments/{deployment}")


def test_a_run_has_its_environment_and_directory_and_a_session_of_its_own(
    open_pool: str, start: Start, tmp_path: Path
) -> None:
    run = start(open_pool, env={"SEEN": "by the run", "PREFECT_LOGGING_LEVEL": "DEBUG"})
    run.held()
    (tmp_path / "go").touch()
    assert run.final() == "COMPLETED"
    note = json.loads((tmp_path / "note").read_text())
    assert (note["env"]["SEEN"], note["env"]["PREFECT__FLOW_RUN_ID"]) == ("by the run", run.id)
    assert (note["cwd"], note["session"]) == (str(CHECKOUT), note["pid"])
    assert "said by" not in run.logs()  # print is no log, unless the flow says so


def test_a_fork_has_the_flows_imported(open_pool: str, start: Start, tmp_path: Path, request: Any) -> None:
    run = start(open_pool)
    run.held()
    (tmp_path / "go").touch()
    assert run.final() == "COMPLETED"
    imported = json.loads((tmp_path / "note").read_text())["imported"]
    assert imported == (request.node.callspec.params["open_pool"] == WORKER_TYPES[0])


def test_a_flow_may_be_named_by_its_module(open_pool: str, start: Start, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    assert start(open_pool, entrypoint="tests.faults.worker.probe.worker_probe").final() == "COMPLETED"


@pytest.mark.parametrize("killed_by", ["SIGKILL", "SIGABRT"])
def test_a_killed_run_has_crashed_and_its_hook_runs_in_another_process(
    killed_by: str, open_pool: str, start: Start, tmp_path: Path
) -> None:
    run = start(open_pool, act=killed_by)
    assert run.final() == "CRASHED"
    assert f"status code: -{signal.Signals[killed_by].value}" in run.state()["message"]
    wait_until((tmp_path / "crashed").exists, why=run.logs)
    assert (tmp_path / "crashed").read_text() != str(json.loads((tmp_path / "note").read_text())["pid"])


def test_a_run_that_fails_has_failed_and_no_hook_runs(open_pool: str, start: Start, tmp_path: Path) -> None:
    run = start(open_pool, act="a bug")
    assert (run.final(), "a bug" in run.state()["message"]) == ("FAILED", True)
    assert not (tmp_path / "crashed").exists()


def test_a_cancelled_run_ends_and_its_hook_runs(open_pool: str, start: Start, tmp_path: Path) -> None:
    run = start(open_pool)
    run.held()
    run.cancel()
    assert run.final() == "CANCELLED"
    wait_until((tmp_path / "cancelled").exists, why=run.logs)
    pid = json.loads((tmp_path / "note").read_text())["pid"]
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), why=run.logs)


def test_a_flow_that_cannot_be_loaded_has_crashed(open_pool: str, start: Start) -> None:
    run = start(open_pool, entrypoint="tests/faults/worker/nowhere.py:worker_probe")
    assert run.final() in {"CRASHED", "FAILED"}
    assert "nowhere.py" in run.logs()


def test_a_run_goes_on_when_its_worker_is_killed(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with worker_of_an_open_pool(log, WORKER_TYPES[0]) as pool:
        run = start(pool)
        run.held()
        os.killpg(_worker_of(pool), signal.SIGKILL)
        (tmp_path / "go").touch()
        assert run.final() == "COMPLETED"
        assert f"said by {tmp_path}" in log.read_text()


def test_a_worker_that_is_stopped_takes_its_runs_with_it(start: Start, tmp_path: Path) -> None:
    with worker_of_an_open_pool(tmp_path / "log", WORKER_TYPES[0]) as pool:
        run = start(pool)
        run.held()
        worker = _worker_of(pool)
        os.kill(worker, signal.SIGTERM)
        pid = json.loads((tmp_path / "note").read_text())["pid"]
        wait_until(lambda: ended(pid) and ended(worker), why=run.logs)
        assert run.final() == "CRASHED"


def _worker_of(pool: str) -> int:
    found = subprocess.check_output(["pgrep", "-f", f"worker --pool {pool}"], text=True, timeout=10)
    return int(found.split()[0])
