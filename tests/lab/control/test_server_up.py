"""`slipway server up` in an empty directory: one start of everything, and all that has to hold of it."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from blocks.polling import until
from flows.core.control.server import SERVER, WORKER
from flows.tasks.control.supervisor import began, recorded
from tests import CHECKOUT

pytestmark = pytest.mark.lab


class Plane:
    """A control plane in a directory of its own, and the commands for it."""

    def __init__(self, place: Path) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.directory, self.repository, self.home = place / "plane", place / "shop", place / "home"
        for made in (self.repository, self.home):
            made.mkdir()
        self.api = f"http://127.0.0.1:{self.port}/api"

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.home), "PREFECT_HOME": str(self.home / "prefect"),
            "PYTHONPATH": str(CHECKOUT), "DO_NOT_TRACK": "1",
        }  # fmt: skip
        argv = [sys.executable, "-m", "flows.cli", "server", *words, "--directory", str(self.directory)]
        return subprocess.run(
            argv, cwd=self.repository, env=environment, capture_output=True, text=True, timeout=400, check=False
        )

    def child(self, name: str) -> int:
        return recorded(self.directory / f"run/{name}.child")

    @property
    def login(self) -> tuple[str, str]:
        text = (self.home / "prefect/profiles.toml").read_text()
        name, _, password = text.split('PREFECT_API_AUTH_STRING = "')[1].split('"')[0].partition(":")
        return name, password


@pytest.fixture
def plane(tmp_path, monkeypatch):
    made = Plane(tmp_path)
    yield made
    made("down")


def eventually(ask, seconds=120):
    return until(ask, bool, seconds, pause=0.5, unfinished=lambda _, after: AssertionError(f"not after {after:.0f} s"))


def answer(plane, method, path, **options):
    try:
        return httpx.request(method, f"{plane.api}{path}", auth=plane.login, trust_env=False, timeout=15, **options)
    except httpx.HTTPError:
        return httpx.Response(503)


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

    killed = plane.child(SERVER)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: plane.child(SERVER) not in (0, killed) and answer(plane, "GET", "/health").is_success)

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
