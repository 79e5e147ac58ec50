"""Bad input that is refused before any lab is asked, as a person sees it: in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import CHECKOUT
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit

NO_SERVER = {"PREFECT_API_URL": "http://127.0.0.1:9/api"}
REFUSED = 2


@pytest.mark.parametrize(("words", "error"), [("status --json", "Unreachable"), ("rollback", "ConnectionError")])
def test_without_a_prefect_server_there_is_one_error_that_says_how_to_start_it(
    words: str, error: str, tmp_path: Path
) -> None:
    answer = _slipway(tuple(words.split()), tmp_path)
    assert (answer.returncode, answer.stdout) == (REFUSED, "")
    said = f"✗ {error}: the Prefect server at http://127.0.0.1:9/api does not answer. Start it"
    assert answer.stderr.startswith(said)
    assert answer.stderr.count("✗") == 1
    assert "PREFECT_API_URL" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("words", "asked_for"),
    [
        ("status --json", "/api/block_documents/filter"),
        ("rollback", "/api/admin/version"),
    ],
)
def test_a_login_that_the_prefect_server_refuses_is_told_as_that_and_tried_once(
    words: str, asked_for: str, tmp_path: Path
) -> None:
    refused = Says(401, {"exception_message": "Unauthorized"})
    with serving(lambda asked: Says() if asked.path.endswith("/health") else refused) as server:
        own = {"PREFECT_API_URL": f"{server.url}/api", "PREFECT_API_AUTH_STRING": "me:wr0ng-passw0rd"}
        answer = _slipway(tuple(words.split()), tmp_path, **own)
    assert (answer.returncode, answer.stdout) == (REFUSED, "")
    said = f"✗ LoginRefused: the Prefect API at {server.url}/api refuses our login; set PREFECT_API_AUTH_STRING"
    assert answer.stderr.startswith(said)
    assert answer.stderr.count("✗") == 1
    assert "wr0ng" not in answer.stderr
    assert [asked.path for asked in server.asked] == [asked_for]


def test_a_key_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    answer = _slipway(("droplet", "add", "green", "--host", "127.0.0.1", "--key-file", "nowhere"), tmp_path)
    assert answer.returncode == REFUSED
    assert "'nowhere' does not exist" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_strategy_that_there_is_not_is_refused(tmp_path: Path) -> None:
    answer = _slipway(("deploy", "--tag", "v1", "--strategy", "gently"), tmp_path)
    assert answer.returncode == REFUSED
    assert "'gently' is not one of 'rolling', 'prefetch', 'recreate'" in answer.stderr
    assert "Traceback" not in answer.stderr


def _slipway(words: tuple[str, ...], directory: Path, **more: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("SLIPWAY_", "PREFECT_"))}
    env = {
        **own,
        "PYTHONPATH": str(CHECKOUT),
        "PREFECT_HOME": str(directory / "prefect"),
        "COLUMNS": "300",
        **NO_SERVER,
        **more,
    }
    argv = [sys.executable, "-m", "flows.cli", *words]
    return subprocess.run(argv, cwd=directory, env=env, capture_output=True, text=True, timeout=120, check=False)
