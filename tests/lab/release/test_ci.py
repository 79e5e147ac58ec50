"""The workflow that CI runs: started through the Prefect API, carried out by the lab's worker."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests import CHECKOUT
from tests.support.lab.cli import slipway_ok
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.lab import prefect_api, prefect_login

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module", autouse=True)
def home() -> Iterator[None]:
    """What the agents call stands on the data home; no other test is relied on for that. Where no release was on green
    before, none stays there: its health checks would keep the machine busy."""
    green, stood = DropletView("green", "agents"), bool(DropletView("green", "agents").containers())
    if not DropletView("data", "agents-home").containers():
        tag = f"ci-{uuid.uuid4().hex[:8]}"
        slipway_ok("build-push", "--stack", str(CHECKOUT / "compose"), "--tag", tag)
        slipway_ok(
            "deploy-home", "--stack", str(CHECKOUT / "compose"), "--tag", tag, "--approval", "never", "--wait", "120"
        )
    yield
    if not stood:
        green.remove("no-such-image")


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A directory of commands with this checkout's `slipway-trigger`, as its installation makes one."""
    script = tmp_path / "slipway-trigger"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(CHECKOUT)!r})\n"
        "from flows.cli.__main__ import run_trigger\nrun_trigger()\n"
    )
    script.chmod(0o755)
    return tmp_path


def run_workflow(commands: Path, ref: str, key: str) -> subprocess.CompletedProcess[str]:
    """Run the workflow's last step as GitHub would: bash with -e and pipefail, its variables in the environment."""
    workflow = yaml.safe_load((CHECKOUT / ".github/workflows/release.yml").read_text())
    script = workflow["jobs"]["release"]["steps"][-1]["run"]
    env = {
        "PATH": f"{commands}:{os.environ['PATH']}",
        "PREFECT_API_URL": os.environ["PREFECT_API_URL"],
        "PREFECT_API_AUTH_STRING": prefect_login(),
        "DROPLET": "green",
        "GITHUB_SHA": ref,
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(commands / "summary.md"),
    }
    argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", f"{script} --key {key}"]
    return subprocess.run(argv, env=env, cwd="/", capture_output=True, text=True, timeout=300, check=False)


def started_run(output: str) -> dict[str, object]:
    run_id = output.split("/runs/flow-run/")[1].split(maxsplit=1)[0]
    with prefect_api() as api:
        return api.get(f"/flow_runs/{run_id}").raise_for_status().json()


def test_ci_releases_exactly_its_commit_and_a_repeated_call_starts_nothing_twice(commands):
    commit = subprocess.run(
        ["git", "-C", str(CHECKOUT), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    key = f"test-{uuid.uuid4()}"
    first = run_workflow(commands, commit, key)
    assert first.returncode == 0, first.stdout + first.stderr
    run = started_run(first.stdout)
    assert "🟢 completed" in (commands / "summary.md").read_text()
    assert run["parameters"]["ref"] == commit
    assert commit[:7] in run["name"]
    again = run_workflow(commands, commit, key)
    assert again.returncode == 0
    assert started_run(again.stdout)["id"] == run["id"]


def test_ci_fails_when_the_release_fails_and_says_why(commands):
    answer = run_workflow(commands, "no-such-commit", f"test-{uuid.uuid4()}")
    assert answer.returncode == 1
    assert "::error::" in answer.stdout
    assert "BadTag" in answer.stdout
