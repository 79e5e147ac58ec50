"""`slipway server up` in an empty directory: one start of everything, and all that has to hold of it."""

import json
import os
import signal
import socket
from pathlib import Path

import httpx
import pytest

from blocks.polling import until
from flows.core.control.server import SERVER, WORKER
from flows.tasks.control.supervisor import began
from tests.support.control.machine_plane import MachinePlane, answer
from tests.support.control.notes import deploy_notes, let_go, notes_of, once_each

pytestmark = pytest.mark.lab


@pytest.fixture
def plane(tmp_path, monkeypatch):
    made = MachinePlane(tmp_path)
    yield made
    made("down")


def eventually(ask, seconds=120):
    return until(ask, bool, seconds, pause=0.5, unfinished=lambda _, after: AssertionError(f"not after {after:.0f} s"))


@pytest.mark.skipif(Path("/run/systemd/system").is_dir(), reason="systemd would start units of this machine")
def test_it_starts_closed_carries_out_runs_comes_back_and_leaves_nothing(plane):
    first = plane("up", "--port", str(plane.port))
    assert first.returncode == 0, first.stderr
    assert "26 created" in first.stdout or " created (" in first.stdout
    profiles = plane.home / "prefect/profiles.toml"
    assert profiles.stat().st_mode & 0o777 == 0o600

    wrong = httpx.get(f"{plane.api}/flows/count", auth=("slipway", "wrong"), trust_env=False)
    assert wrong.status_code == httpx.codes.UNAUTHORIZED

    deployment = answer(plane, "GET", "/deployments/name/status/status").json()
    run = answer(plane, "POST", f"/deployments/{deployment['id']}/create_flow_run", json={}).json()["id"]
    ended = eventually(lambda: answer(plane, "GET", f"/flow_runs/{run}").json().get("end_time"))
    assert ended
    assert answer(plane, "GET", f"/flow_runs/{run}").json()["state_type"] == "COMPLETED"

    schedule = answer(plane, "GET", "/deployments/name/drift/drift").json()
    (one,) = schedule["schedules"]
    path = f"/deployments/{schedule['id']}/schedules/{one['id']}"
    assert answer(plane, "PATCH", path, json={"active": True}).is_success
    assert answer(plane, "PATCH", f"/deployments/{schedule['id']}", json={"tags": ["slipway", "odd"]}).is_success

    note = deploy_notes(
        lambda path, body: answer(plane, "POST", path, json=body).json(), plane.repository, str(plane.repository)
    )
    started = {"name": "note", "parameters": {"hold": True}}
    note_run = answer(plane, "POST", f"/deployments/{note}/create_flow_run", json=started).json()["id"]
    eventually(lambda: notes_of(["note"], plane.repository))

    killed = plane.child(SERVER)  # in the middle of that run
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: plane.child(SERVER) not in (0, killed) and answer(plane, "GET", "/health").is_success)
    let_go(["note"], plane.repository)
    eventually(lambda: answer(plane, "GET", f"/flow_runs/{note_run}").json().get("state_type") == "COMPLETED")
    assert notes_of(["note"], plane.repository) == once_each(["note"])

    mended = plane("up")
    assert "Deployments: 1 updated (drift)" in mended.stdout
    again = answer(plane, "GET", "/deployments/name/drift/drift").json()
    assert ([one["active"] for one in again["schedules"]], again["tags"]) == ([True], ["slipway", "upkeep"])
    assert plane("up").stdout.startswith("Nothing to change")

    seen = json.loads(plane("status", "--json").stdout)
    assert (seen["services"], seen["healthy"]) == ({SERVER: True, WORKER: True}, True)
    children = [plane.child(SERVER), plane.child(WORKER)]
    assert all(children)
    assert plane("down").returncode == 0
    assert [began(pid) for pid in children] == ["", ""]
    assert plane("status").returncode == 1


def test_a_port_that_another_program_has_is_refused_by_its_number(plane):
    with socket.socket() as other:
        other.bind(("127.0.0.1", plane.port))
        other.listen()
        refused = plane("up", "--port", str(plane.port))
    assert refused.returncode == 2
    assert f"port {plane.port}" in refused.stderr
    assert not (plane.home / "prefect/profiles.toml").exists()
