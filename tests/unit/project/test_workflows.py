"""The workflows of CI: no login in an argument, actions by their commit, and only what a trigger needs."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from flows.core.control.ci.workflow import ci_workflow
from tests import CHECKOUT

pytestmark = pytest.mark.unit

WORKFLOWS = sorted((CHECKOUT / ".github/workflows").glob("*.y*ml"))


def steps(path: Path) -> list[dict]:
    return [step for job in yaml.safe_load(path.read_text())["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_keep_no_credentials(path):
    for step in steps(path):
        if used := step.get("uses"):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used)
            assert not used.startswith("actions/checkout@") or step["with"]["persist-credentials"] is False
    assert yaml.safe_load(path.read_text())["permissions"] == {"contents": "read"}


def test_the_release_hands_its_login_and_its_droplet_to_the_trigger_by_the_environment_alone():
    *_, last = steps(CHECKOUT / ".github/workflows/release.yml")
    assert last["run"] == 'slipway-trigger release -p "droplet=$DROPLET"'
    assert set(last["env"]) == {"PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "DROPLET"}


def test_what_the_release_installs_is_what_the_project_asks_for():
    asked = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["dependencies"]
    install = next(
        step["run"] for step in steps(CHECKOUT / ".github/workflows/release.yml") if "pip" in step.get("run", "")
    )
    named = re.findall(r"'([^']+)'", install)
    assert {re.split("[<>=]", word)[0] for word in named} == {"httpx", "pydantic", "typer", "rich"}
    assert set(named) <= set(asked)
    assert all(word in ci_workflow("github", "slipway") for word in named)
