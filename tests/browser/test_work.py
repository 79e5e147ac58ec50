"""A day's work in the Prefect UI: a release is read, rolled back by the form, and a run that failed is run again.

`SLIPWAY_PICTURES=docs/images` keeps pictures of it. An answer to a question: test_question.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from flows.core.control.forms import form_with_choices
from tests import CHECKOUT
from tests.browser.prefect_api import artifacts
from tests.browser.prefect_ui import PrefectUi
from tests.faults.harness.sample import WORKER_TYPES
from tests.faults.harness.worker_run import WorkerRun, posted, worker_of_an_open_pool
from tests.support import wait_until
from tests.support.lab.git_checkout import commit, git
from tests.support.lab.lab import prefect_api
from tests.support.lab.lab_stack import LabStack, lab_stack
from tests.support.lab.saved_blocks import forget

pytestmark = pytest.mark.browser
STACK = "ui-shop"
COMPOSE = f"""
name: {STACK}
services:
  web:
    build: .
    image: ${{REGISTRY}}/{STACK}:${{IMAGE_TAG}}
    init: true
    command: [sleep, infinity]
"""
LATE = f"{STACK}-late"


@dataclass(frozen=True)
class Shop(LabStack):
    """A stack of one service, of which two releases are on its droplet."""

    def release(self, tag: str) -> None:
        (self.place / "Dockerfile").write_text(f"FROM debian:trixie-slim\nLABEL version={tag}\n")
        commit(self.place)
        self.slipway_ok("release", "--stack", str(self.place), "--tag", tag, SLIPWAY_OVERVIEW="true")

    def save_late(self) -> None:
        """Save the droplet under the name that was not saved until now."""
        self.blocks()[self.block].save(LATE, overwrite=True)

    def forget_late(self) -> None:
        from blocks import Droplet  # noqa: PLC0415 — after the environment is set

        forget(Droplet, LATE)

    @property
    def runs(self) -> str:
        """The tag of the release that runs, as its image says it."""
        return str(self.droplet.containers()["web"]["Config"]["Labels"]["version"])


@pytest.fixture
def shop(chromium: str, tmp_path: Path) -> Iterator[Shop]:
    place = tmp_path / STACK
    place.mkdir()
    git(place, "init", "--quiet")
    (place / "compose.yaml").write_text(COMPOSE)
    own = {"SLIPWAY_DROPLETS": f'["{STACK}-droplet"]', "SLIPWAY_ACTIVE_URL": ""}
    with lab_stack(Shop, STACK, "green", place, **own) as shop:
        for tag in ("v1", "v2"):
            shop.release(tag)
        try:
            yield shop
        finally:
            shop.forget_late()


@pytest.fixture
def rollback(shop: Shop, tmp_path: Path) -> Iterator[str]:
    """The id of a deployment of `rollback` whose form has choices; a worker serves it with the stack's settings."""
    with prefect_api() as api, worker_of_an_open_pool(tmp_path / "log", WORKER_TYPES[0]) as pool:
        like = api.get("deployments/name/rollback/rollback").raise_for_status().json()
        schema = form_with_choices(like["parameter_openapi_schema"], {"droplet": [shop.block, LATE]})
        made = posted(api, "deployments/", {
            "flow_id": like["flow_id"], "entrypoint": "flows.rollback.rollback", "work_pool_name": pool,
            "name": f"ui-{uuid4().hex[:8]}", "parameter_openapi_schema": schema, "enforce_parameter_schema": True,
            "parameters": {"stack": STACK, "droplet": shop.block, "wait": 60},
            "job_variables": {"env": {**shop.settings, "PYTHONPATH": str(CHECKOUT), "SLIPWAY_OVERVIEW": "true"}},
            "pull_steps": [{"prefect.deployments.steps.set_working_directory": {"directory": str(tmp_path)}}],
        })  # fmt: skip
        yield made["id"]
        api.delete(f"deployments/{made['id']}")


def only_run(api: httpx.Client, deployment: str, than: set[str], place: Path) -> WorkerRun:
    """The run that was started of it beside these."""
    found = api.post("flow_runs/filter", json={"deployments": {"id": {"any_": [deployment]}}}).raise_for_status().json()
    (run,) = {one["id"] for one in found} - than
    return WorkerRun(api, run, place)


def latest(api: httpx.Client, key: str) -> str:
    """The id of the newest artifact with this key."""
    sought = {"artifacts": {"key": {"any_": [key]}}, "sort": "CREATED_DESC", "limit": 1}
    return str(api.post("artifacts/filter", json=sought).raise_for_status().json()[0]["id"])


def test_a_release_is_read_rolled_back_by_the_form_and_a_failed_run_is_run_again(
    shop: Shop, rollback: str, ui: PrefectUi, tmp_path: Path
):
    with prefect_api() as api:
        _, table = ui.open_artifact(latest(api, f"summary-{STACK}"), f"summary-{STACK}")
        assert [row[0] for row in table] == ["service", "web"]
        assert f"/{STACK}@sha256:" in table[1][-1]

        text, table = ui.open_artifact(latest(api, f"overview-{STACK}"), f"overview-{STACK}")
        assert "What runs where" in text
        row = dict(zip(table[0], table[1], strict=True))
        assert (row["droplet"], row["release"], row["outcome"]) == (shop.block, "v2", "🟢 good")
        ui.picture("overview", 560, 1750)

        ui.open_form(rollback)
        ui.choose("droplet", shop.block)
        ui.write("to", "v1")
        ui.picture("rollback-form", 1300, 1100)
        ui.start_run()
        done = only_run(api, rollback, set(), tmp_path)
        assert done.final() == "COMPLETED", done.logs()
        assert shop.runs == "v1"
        ui.open_run(done.id, "Completed", f"{shop.block}")
        _, table = ui.open_artifact(artifacts(f"rollback-{shop.block}", done.id)[0], f"rollback-{shop.block}")
        assert "web" in [cell for row in table for cell in row]
        _, table = ui.open_artifact(latest(api, f"overview-{STACK}"), f"overview-{STACK}")
        assert "v1" in table[1]

        ui.open_form(rollback)
        ui.choose("droplet", LATE)
        ui.write("to", "v2")
        ui.start_run()
        failed = only_run(api, rollback, {done.id}, tmp_path)
        assert failed.final() == "FAILED"
        wait_until(lambda: "BlockMissing: there is no slipway-droplet block named" in failed.logs(), why=failed.logs)
        assert "Traceback" not in failed.logs()
        ui.open_run(failed.id, "Failed", "BlockMissing")
        ui.picture("failed-run", 900)
        with ThreadPoolExecutor(1) as thread:  # this one has Playwright's event loop
            thread.submit(shop.save_late).result(60)
        ui.run_again()
        wait_until(lambda: failed.state()["name"] != "Failed", why=failed.logs, pause=0.1)
        assert failed.final() == "COMPLETED", failed.logs()
        assert shop.runs == "v2"
