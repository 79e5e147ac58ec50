"""From an older commit's `slipway server up` to today's: what was there stays, and the deployments are today's."""

import os
import subprocess
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from pydantic import SecretStr

from blocks import Droplet
from blocks.polling import until
from flows.api.blocks import read_block
from flows.api.client import PrefectApi
from flows.api.connection import ApiConnection
from flows.tasks.control.deployments import code_version
from tests import CHECKOUT
from tests.support.control.machine_plane import MachinePlane, answer

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(Path("/run/systemd/system").is_dir(), reason="systemd would start units of this machine"),
    pytest.mark.skipif(os.environ.get("SLIPWAY_FAULTS") != "all", reason="three minutes: SLIPWAY_FAULTS=all"),
]
# The first whose `slipway server up` was whole.
OLD = "e17d0f4"


@pytest.fixture
def old_code(tmp_path: Path) -> Path:
    """The older commit, unpacked."""
    packed = subprocess.run(["git", "archive", OLD], cwd=CHECKOUT, capture_output=True, check=False, timeout=60)
    if packed.returncode:
        pytest.skip(f"the history here does not reach back to {OLD}")
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as tar:
        tar.extractall(tmp_path / "old", filter="data")
    return tmp_path / "old"


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[MachinePlane]:
    """A control plane that is stopped at the end."""
    made = MachinePlane(tmp_path)
    yield made
    made("down")


def run_status(plane: MachinePlane) -> str:
    """A run of the deployment `status`, to its end; its id."""
    deployment = answer(plane, "GET", "/deployments/name/status/status").json()["id"]
    run = answer(plane, "POST", f"/deployments/{deployment}/create_flow_run", json={}).json()["id"]
    until(lambda: answer(plane, "GET", f"/flow_runs/{run}"), lambda said: said.is_success and said.json()["end_time"],
          180, pause=0.5, unfinished=lambda said, _: AssertionError(said.text[:500]))  # fmt: skip
    assert answer(plane, "GET", f"/flow_runs/{run}").json()["state_type"] == "COMPLETED"
    return str(run)


def test_blocks_runs_and_what_was_switched_on_are_kept_and_deployments_are_todays(plane, old_code):
    first = plane("up", "--port", str(plane.port), code=old_code)
    assert first.returncode == 0, first.stderr
    login = ":".join(plane.login)
    with temporary_settings({PREFECT_API_URL: plane.api, PREFECT_API_AUTH_STRING: login}):
        Droplet(host="203.0.113.7", user="deploy", private_key=SecretStr("made up")).save("green")
    before = run_status(plane)
    drift = answer(plane, "GET", "/deployments/name/drift/drift").json()
    schedule = f"/deployments/{drift['id']}/schedules/{drift['schedules'][0]['id']}"
    assert answer(plane, "PATCH", schedule, json={"active": True}).is_success

    second = plane("up")
    assert second.returncode == 0, second.stderr
    assert "updated" in second.stdout
    assert ":".join(plane.login) == login
    with PrefectApi(ApiConnection(plane.api, login)) as api:
        block = read_block(api, "slipway-droplet", "green")
        assert block
        assert (block["host"], block["private_key"]) == ("203.0.113.7", "made up")
        ours = api.post("/deployments/filter", {"deployments": {"tags": {"all_": ["slipway"]}}, "limit": 200})
        assert {one["version"] for one in ours} == {code_version()}
        assert api.get("/deployments/name/drift/drift")["schedules"][0]["active"] is True
        assert api.get(f"/flow_runs/{before}")["state_type"] == "COMPLETED"
    assert run_status(plane) != before
    assert plane("up").stdout.startswith("Nothing to change")
