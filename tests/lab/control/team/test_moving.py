"""`slipway server export` and `import`, from one embedded server into another: what is kept, and what stays behind."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import SecretStr

from blocks import CaddySwitch, Droplet
from flows.api.blocks import read_block
from flows.api.client import PrefectApi
from flows.api.connection import ApiConnection
from tests import CHECKOUT
from tests.faults.harness.second_prefect import SecondPrefect

pytestmark = pytest.mark.lab
PASSPHRASE = "a passphrase of the test's own"
SECRET = "-----BEGIN OPENSSH PRIVATE KEY-----\nmade up for the test\n-----END OPENSSH PRIVATE KEY-----\n"
CRON = {"cron": "0 4 * * *", "timezone": "UTC"}


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[SecondPrefect]]:
    """Two servers, each with a database of its own."""
    both = []
    try:
        for name in ("old", "new"):
            (tmp_path / name).mkdir()
            both.append(SecondPrefect(tmp_path / name))
            both[-1].start()
        for server in both:
            server.ready()
        yield both
    finally:
        for server in both:
            server.die()


def slipway(server: SecondPrefect, *words: str, passphrase: str = PASSPHRASE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", "server", *words], input=f"{passphrase}\n", cwd=CHECKOUT,
        env={**os.environ, **server.environment}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def fill(server: SecondPrefect, api: PrefectApi) -> None:
    """Something of each kind: blocks that hold one another, a deployment, what it triggers, and runs."""
    droplet = Droplet(host="203.0.113.7", user="deploy", private_key=SecretStr(SECRET))
    server.save({"green": droplet})
    server.save({"front": CaddySwitch(host=droplet_of(server), url="http://203.0.113.7")})
    api.post("/work_pools/", {"name": "build", "type": "process", "concurrency_limit": 3})
    api.post("/v2/concurrency_limits/", {"name": "registry", "limit": 2})
    api.post("/variables/", {"name": "region", "value": "fra1"})
    flow = api.post("/flows/", {"name": "release"})["id"]
    when = [{"schedule": CRON, "active": True}]
    deployment = api.post("/deployments/", {
        "name": "nightly", "flow_id": flow, "work_pool_name": "build", "entrypoint": "flows.release.release",
        "parameters": {"stack": "shop.yml"}, "schedules": when, "concurrency_limit": 1, "tags": ["slipway"],
    })["id"]  # fmt: skip
    again = {"type": "run-deployment", "source": "selected", "deployment_id": deployment, "parameters": {}}
    trigger = {"type": "event", "posture": "Reactive", "expect": ["slipway.drift.found"], "threshold": 1, "within": 0,
               "match": {"prefect.resource.id": f"prefect.deployment.{deployment}"}}  # fmt: skip
    api.post("/automations/", {"name": "again", "trigger": trigger, "actions": [again]})
    for name, state in (("good", "COMPLETED"), ("bad", "FAILED"), ("waiting", "PENDING")):
        body = {"name": name, "flow_id": flow, "deployment_id": deployment, "parameters": {"ref": name}}
        run = api.post("/flow_runs/", {**body, "state": {"type": state, "message": f"it was {name}"}})["id"]
        api.post("/artifacts/", {"key": "services", "type": "markdown", "data": f"of {run}", "flow_run_id": run})


def droplet_of(server: SecondPrefect) -> Droplet:
    with temporary_settings({PREFECT_API_URL: server.api}):
        return Droplet.load("green")


def all_of(api: PrefectApi, path: str) -> list[dict[str, Any]]:
    return api.post(f"/{path}/filter", {"limit": 200})


def test_what_a_control_plane_holds_is_there_after_the_move_and_a_second_import_changes_nothing(servers, tmp_path):
    old, new = servers
    file = tmp_path / "moved"
    with PrefectApi(ApiConnection(old.api)) as api:
        fill(old, api)
        before = api.get("/deployments/name/release/nightly")
    told = slipway(old, "export", str(file))
    assert told.returncode == 0, told.stderr
    assert "2 runs" in told.stdout
    assert "1 runs that did not end" in told.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"made up" not in file.read_bytes()
    assert slipway(old, "export", str(file)).returncode == 2  # nothing is written over
    assert slipway(old, "import", str(file)).returncode == 2  # it came from there
    wrong = slipway(new, "import", str(file), passphrase="another one altogether")
    assert (wrong.returncode, "passphrase" in wrong.stderr) == (2, True)

    with PrefectApi(ApiConnection(new.api)) as api:
        for _ in range(2):
            told = slipway(new, "import", str(file))
            assert told.returncode == 0, told.stderr
            front = read_block(api, "slipway-caddy-switch", "front")
            assert front
            assert front["host"]["private_key"] == SECRET
            moved = api.get("/deployments/name/release/nightly")
            assert moved["id"] != before["id"]
            for field in ("parameters", "entrypoint", "work_pool_name", "tags"):
                assert moved[field] == before[field]
            (when,) = moved["schedules"]
            assert (when["active"], when["schedule"]["cron"]) == (True, CRON["cron"])
            assert moved["global_concurrency_limit"]["limit"] == 1
            (automation,) = all_of(api, "automations")
            assert automation["actions"][0]["deployment_id"] == moved["id"]
            assert automation["trigger"]["match"] == {"prefect.resource.id": f"prefect.deployment.{moved['id']}"}
            runs = {one["name"]: one for one in all_of(api, "flow_runs") if one["state_type"] != "SCHEDULED"}
            assert {name: one["state_type"] for name, one in runs.items()} == {"good": "COMPLETED", "bad": "FAILED"}
            assert runs["bad"]["state"]["message"] == "it was bad"
            assert runs["good"]["deployment_id"] == moved["id"]
            assert runs["good"]["labels"]["slipway.imported"] is True
            texts = sorted(one["data"] for one in all_of(api, "artifacts"))
            assert texts == sorted(f"of {one['id']}" for one in runs.values())
            assert api.get("/work_pools/build")["concurrency_limit"] == 3
            assert api.get("/v2/concurrency_limits/registry")["limit"] == 2
            assert api.get("/variables/name/region")["value"] == "fra1"
