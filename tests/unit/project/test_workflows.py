"""The workflows of CI: no login in an argument, nothing of a service as a command, actions by their commit."""

import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests import CHECKOUT

pytestmark = pytest.mark.unit

WORKFLOWS = sorted((CHECKOUT / ".github/workflows").glob("*.y*ml"))
LOGIN = "admin:s3cr3t pass"
HOSTILE = "failed\n::add-mask::x\n::set-env name=A::b\n\x1b]52;c;aGk=\x07 end\r::error::x"
CURL = """#!/bin/bash
printf '%s\\n' "$*" >> "$PLACE/arguments"
while [ $# -gt 1 ]; do [ "$1" != --config ] || cat "$2" >> "$PLACE/configs"; shift; done
case $1 in
  */name/release/release) echo '{"id": "d"}' ;;
  */create_flow_run) cat > "$PLACE/body"; echo '{"id": "r"}' ;;
  *) cat "$PLACE/answer" ;;
esac
"""


def steps(path: Path) -> list[dict]:
    return [step for job in yaml.safe_load(path.read_text())["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_keep_no_credentials(path):
    for step in steps(path):
        if used := step.get("uses"):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used)
            assert not used.startswith("actions/checkout@") or step["with"]["persist-credentials"] is False
    assert yaml.safe_load(path.read_text())["permissions"] == {"contents": "read"}


@pytest.fixture
def release(tmp_path):
    """Runs the one step of the release workflow against a `curl` that answers with a state."""
    if not shutil.which("jq"):
        pytest.skip("jq is not installed")
    curl = tmp_path / "curl"
    curl.write_text(CURL)
    curl.chmod(0o755)
    [step] = steps(CHECKOUT / ".github/workflows/release.yml")

    def run(state: dict, login: str = LOGIN) -> subprocess.CompletedProcess[str]:
        (tmp_path / "answer").write_text(json.dumps({"state": state}))
        env = {
            "PATH": f"{tmp_path}:{os.environ['PATH']}", "PLACE": str(tmp_path), "PREFECT_API_URL": "https://p/api",
            "PREFECT_API_AUTH_STRING": login, "DROPLET": "green", "IDEMPOTENCY_KEY": "k", "GITHUB_SHA": "c" * 40,
        }  # fmt: skip
        argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        return subprocess.run(argv, env=env, capture_output=True, timeout=60, check=False, text=True)

    return run


def test_the_login_reaches_curl_and_is_no_argument(release, tmp_path):
    assert release({"name": "Completed", "type": "COMPLETED", "message": None}).returncode == 0
    encoded = base64.b64encode(LOGIN.encode()).decode()
    assert (tmp_path / "configs").read_text() == f'header = "Authorization: Basic {encoded}"\n' * 3
    arguments = (tmp_path / "arguments").read_text()
    assert not [word for word in (LOGIN, "s3cr3t", encoded) if word in arguments]
    assert json.loads((tmp_path / "body").read_text())["parameters"]["ref"] == "c" * 40


def test_without_a_login_none_is_sent(release, tmp_path):
    assert release({"name": "Completed", "type": "COMPLETED", "message": "ok"}, login="").returncode == 0
    assert (tmp_path / "configs").read_text() == ""


def test_what_a_service_said_is_no_command_of_the_runner(release):
    answer = release({"name": "Failed", "type": "FAILED", "message": HOSTILE})
    assert answer.returncode == 1
    before, _, rest = answer.stdout.partition("::stop-commands::")
    token = rest.splitlines()[0]
    quoted, _, after = rest.partition(f"\n::{token}::\n")
    assert len(token) >= 32
    assert "::" not in before + after
    assert "failed\n::add-mask::x" in quoted
    assert not set(answer.stdout) & set("\x1b\x07\r")
