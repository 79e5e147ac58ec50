"""The lab's Prefect server is closed: a login for everything, nothing for other web pages, no run brings a command."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from blocks.polling import until
from tests import CHECKOUT
from tests.support import PATIENCE, wait_until
from tests.support.http_server import Says, serving
from tests.support.lab.lab import STATE, prefect_api

pytestmark = pytest.mark.lab
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
ELSEWHERE = "https://page.example"


@pytest.mark.parametrize("path", ["/admin/version", "/block_types/filter", "/flow_runs/filter"])
@pytest.mark.parametrize(("login", "status"), [("", 401), ("slipway:wrong", 401), (None, 200)])
def test_the_api_answers_whoever_has_the_login(path: str, login: str | None, status: int) -> None:
    with prefect_api(login) as api:
        answer = api.get(path) if path == "/admin/version" else api.post(path, json={"limit": 1})
    assert answer.status_code == status


def test_no_other_web_page_may_read_an_answer_or_send_the_login() -> None:
    own = os.environ["PREFECT_API_URL"].removesuffix("/api")
    with prefect_api() as api:
        allowed = {origin: _allowed(api, origin) for origin in (own, ELSEWHERE, "null")}
    assert allowed == {own: [own, own], ELSEWHERE: [None, None], "null": [None, None]}


def _allowed(api: httpx.Client, origin: str) -> list[str | None]:
    """Who may read, and who may post with a header, as the server says to a page of this origin."""
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    read = api.get("/admin/version", headers={"Origin": origin})
    posted = api.options("/flow_runs/filter", headers={"Origin": origin, **asked})
    return [answer.headers.get("access-control-allow-origin") for answer in (read, posted)]


def test_a_command_with_a_wrong_login_ends_in_one_sentence() -> None:
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PREFECT_API_AUTH_STRING": "slipway:wrong"}
    argv = [sys.executable, "-m", "flows.cli", "status", "--json"]
    answer = subprocess.run(argv, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=180, check=False)
    said = f"✗ LoginRefused: the Prefect API at {os.environ['PREFECT_API_URL']} refuses our login; set "
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith(f"{said}PREFECT_API_AUTH_STRING")
    assert answer.stderr.count("✗") == 1
    assert "wrong" not in answer.stderr


def test_the_labs_command_has_the_login_whatever_the_shell_has(tmp_path: Path) -> None:
    answer = _labs_command(tmp_path, PREFECT_PROFILE="another", PREFECT_API_AUTH_STRING="another:login")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith('{\n  "droplets"')


def test_the_labs_command_sends_the_login_to_no_other_server(tmp_path: Path) -> None:
    with serving(lambda _: Says(401)) as server:
        answer = _labs_command(tmp_path, PREFECT_API_URL=f"{server.url}/api")
    assert (answer.returncode, "LoginRefused" in answer.stderr) == (2, True)
    assert {asked.headers.get("authorization") for asked in server.asked} == {None}


def _labs_command(home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    env = {**own, "HOME": str(home), **settings}
    argv = [STATE / "bin" / "slipway", "status", "--json"]
    return subprocess.run(argv, cwd=home, env=env, capture_output=True, text=True, timeout=180, check=False)


def test_a_run_brings_no_command_no_environment_and_no_directory(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    touch = f"open({str(canary)!r}, 'a').close()\n"
    for module in ("sitecustomize.py", "prefect.py"):  # what Python finds first by PYTHONPATH, and where it is started
        (tmp_path / module).write_text(touch)
    brought = [{"command": f"touch {canary}"}, {"env": {"PYTHONPATH": str(tmp_path)}}, {"working_dir": str(tmp_path)}]
    with prefect_api() as api:
        deployment = api.get("/deployments/name/status/status").raise_for_status().json()
        for variables in brought:
            refused = api.post(f"/deployments/{deployment['id']}/create_flow_run", json={"job_variables": variables})
            assert (refused.status_code, "not allowed" in refused.text) == (422, True)
        # By this way the server does not look at what a run brings; the worker makes nothing of it.
        runs = [_made(api, deployment, variables) for variables in brought]
        states = wait_until(lambda: _final(api, runs), pause=0.5)
    assert states == ["COMPLETED"] * 3
    assert not canary.exists()


def _made(api: httpx.Client, deployment: dict[str, Any], variables: dict[str, object]) -> str:
    run = {
        "flow_id": deployment["flow_id"], "deployment_id": deployment["id"], "work_pool_name": "slipway",
        "job_variables": variables, "state": {"type": "SCHEDULED"},
    }  # fmt: skip
    return str(_answered(lambda: api.post("/flow_runs/", json=run))["id"])


def _final(api: httpx.Client, runs: list[str]) -> list[str]:
    """The types of their states; nothing as long as one goes on."""
    states = [_answered(lambda run=run: api.get(f"/flow_runs/{run}"))["state"]["type"] for run in runs]
    return states if FINAL.issuperset(states) else []


def _answered(ask: Callable[[], httpx.Response]) -> dict[str, Any]:
    """Ask until the server is not too busy to answer: SQLite is locked now and then."""
    said = until(ask, lambda answer: answer.status_code != httpx.codes.SERVICE_UNAVAILABLE, within=PATIENCE, pause=0.5)
    return dict(said.raise_for_status().json())
