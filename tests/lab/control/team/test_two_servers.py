"""Two API servers on one PostgreSQL and Redis, as compose/control-plane.yml starts them: one is killed under load."""

import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.support.control.team_plane import ServerProcess, TeamPlaneFiles

pytestmark = pytest.mark.lab
RUNS = 40


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[TeamPlaneFiles]:
    """The files, and databases that run."""
    files = TeamPlaneFiles(tmp_path)
    files.open_databases()
    try:
        files.compose("up", "--detach", "--wait", "postgres", "redis")
        yield files
    finally:
        files.remove()


@pytest.fixture
def servers(plane: TeamPlaneFiles, tmp_path: Path) -> Iterator[list[ServerProcess]]:
    """Both servers, the second started when the first was healthy."""
    ServerProcess(plane, "database-upgrade", tmp_path / "upgrade.log").run()
    both = [ServerProcess(plane, name, tmp_path / f"{name}.log") for name in ("api-1", "api-2")]
    try:
        for server in both:
            server.start()
        yield both
    finally:
        for server in both:
            server.kill()


def asked(servers: list[ServerProcess], method: str, path: str, body: object, first: int = 0) -> httpx.Response:
    """The answer of the first server that gives one, as the proxy in front of them does it."""
    for server in [*servers[first % 2 :], *servers[: first % 2]]:
        try:
            return httpx.request(
                method, f"{server.api}{path}", json=body, auth=server.auth, timeout=30, trust_env=False
            )
        except httpx.TransportError:
            continue
    raise AssertionError("no server answers")


def test_with_one_of_two_servers_killed_under_load_no_run_is_lost_and_none_is_there_twice(servers):
    for server in servers:
        wrong = httpx.get(f"{server.api}/flows/count", auth=("slipway", "wrong"), trust_env=False)
        assert wrong.status_code == httpx.codes.UNAUTHORIZED
        assert httpx.get(f"{server.api}/ui-settings", trust_env=False).status_code != httpx.codes.OK
    flow = asked(servers, "POST", "/flows/", {"name": "no-op"}, 1).json()["id"]
    half_way = threading.Event()

    def start(number: int) -> str:
        if number == RUNS // 2:
            half_way.set()
        body = {"flow_id": flow, "name": f"run-{number}", "idempotency_key": str(number), "state": {"type": "PENDING"}}
        run = asked(servers, "POST", "/flow_runs/", body, number).json()["id"]
        ended = {"state": {"type": "COMPLETED", "name": "Completed"}}
        assert asked(servers, "POST", f"/flow_runs/{run}/set_state", ended, number + 1).json()["status"] == "ACCEPT"
        return str(run)

    with ThreadPoolExecutor(4) as pool:
        runs = list(map(pool.submit, [start] * RUNS, range(RUNS)))
        half_way.wait(60)
        servers[0].kill()
        made = [run.result(timeout=60) for run in runs]
    assert len(set(made)) == RUNS
    found = asked(servers, "POST", "/flow_runs/filter", {"flows": {"id": {"any_": [flow]}}, "limit": 200}).json()
    assert sorted(one["id"] for one in found) == sorted(made)
    assert {one["state_type"] for one in found} == {"COMPLETED"}


def test_the_files_hold_no_credential_but_in_the_closed_one_and_compose_takes_them(tmp_path):
    files = TeamPlaneFiles(tmp_path)
    secrets = [value for key, value in files.settings.items() if key.endswith(("PASSWORD", "KEY", "LOGIN"))]
    assert len(secrets) == len(set(secrets)) == 4
    text = (files.directory / "compose.yaml").read_text()
    assert not [secret for secret in secrets if secret.rpartition(":")[2] in text]
    assert (files.directory / ".env").stat().st_mode & 0o777 == 0o600
    assert files.service("api-2")["depends_on"]["api-1"]["condition"] == "service_healthy"
    settings = (files.directory / ".env").read_text()
    (files.directory / ".env").write_text(settings.replace("SLIPWAY_LOGIN=", "OTHER="))
    refused = subprocess.run(
        ["docker", "compose", "--project-directory", str(files.directory), "config"],
        cwd=files.directory, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert refused.returncode != 0
    assert "SLIPWAY_LOGIN" in refused.stderr
