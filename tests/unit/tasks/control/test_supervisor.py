"""The supervisor: what dies is started again, what is stopped stays stopped, nothing of another's is taken for ours."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from blocks.polling import until
from flows.core.control.server import MachineService
from flows.tasks.control.services import SupervisedServices
from flows.tasks.control.supervisor import began, next_pause, record, recorded

pytestmark = pytest.mark.unit


def service(tmp_path: Path, *argv: str) -> MachineService:
    environment = {"PATH": os.environ["PATH"]}
    return MachineService("one", "One", argv or ("sleep", "600"), environment, str(tmp_path), stop_s=5)


def wait_for(ask):
    return until(ask, bool, 20, pause=0.05, unfinished=lambda _, seconds: AssertionError(f"not after {seconds:.0f} s"))


@pytest.fixture
def services(tmp_path):
    made = SupervisedServices(tmp_path)
    yield made
    made.stop("one")


def test_a_killed_process_is_started_again(services, tmp_path):
    assert services.start(service(tmp_path)) == "started"
    first = wait_for(lambda: recorded(tmp_path / "one.child"))
    os.kill(first, signal.SIGKILL)
    second = wait_for(lambda: (pid := recorded(tmp_path / "one.child")) != first and pid)
    assert began(second)


def test_the_same_again_changes_nothing_and_another_one_replaces_it(services, tmp_path):
    services.start(service(tmp_path))
    child = wait_for(lambda: recorded(tmp_path / "one.child"))
    assert services.start(service(tmp_path)) == ""
    assert recorded(tmp_path / "one.child") == child
    assert services.start(service(tmp_path, "sleep", "601")) == "restarted"
    assert not began(child)


def test_what_is_stopped_leaves_nothing_running(services, tmp_path):
    script = (
        "import subprocess, time; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); time.sleep(600)"
    )
    services.start(service(tmp_path, sys.executable, "-c", script))
    grandchild = wait_for(lambda: (tmp_path / "one.log").exists() and (tmp_path / "one.log").read_text().strip())
    assert services.stop("one")
    wait_for(lambda: not began(int(grandchild)))
    assert not services.running("one")
    assert not services.stop("one")


def test_a_process_that_a_killed_supervisor_left_is_replaced(services, tmp_path):
    services.start(service(tmp_path))
    child = wait_for(lambda: recorded(tmp_path / "one.child"))
    supervisor = recorded(tmp_path / "one.pid")
    os.kill(supervisor, signal.SIGKILL)
    wait_for(lambda: not began(supervisor))
    assert services.start(service(tmp_path)) == "started"
    wait_for(lambda: recorded(tmp_path / "one.child") not in (0, child))
    assert not began(child)


def test_a_number_that_another_process_has_by_now_is_not_ours(tmp_path):
    other = subprocess.Popen(["sleep", "600"])
    record(tmp_path / "pid", other.pid)
    assert recorded(tmp_path / "pid") == other.pid
    (tmp_path / "pid").write_text(f"{other.pid} 1")
    assert recorded(tmp_path / "pid") == 0
    other.kill()
    other.wait()


def test_it_waits_longer_each_time_and_begins_anew_after_a_long_life():
    assert [next_pause(pause, 1) for pause in (0.5, 1, 16, 30)] == [1, 2, 30, 30]
    assert next_pause(30, 3600) == 1


def test_nothing_of_a_login_is_written_down(services, tmp_path):
    services.start(service(tmp_path))
    assert set(json.loads((tmp_path / "one.json").read_text())["environment"]) == {"PATH"}
