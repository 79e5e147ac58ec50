"""The lab's Prefect server: its state is its user's alone, and only its own UI may read its API."""

import stat

import pytest

from tests.support import wait_until
from tests.support.lab_scripts import Machine

pytestmark = pytest.mark.unit


def test_the_state_is_closed_and_so_is_the_api_to_other_pages(tmp_path):
    machine = Machine.at(tmp_path)
    machine.state.chmod(0o755)
    seen = tmp_path / "seen"
    machine.put("prefect", f'echo "$PREFECT_SERVER_CORS_ALLOWED_ORIGINS" >{seen}.new; mv {seen}.new {seen}')
    (machine.state / "bin").mkdir()
    (machine.state / "bin/prefect").symlink_to(machine.tools / "prefect")
    done = machine.run("prefect.sh", "start", SLIPWAY_PREFECT_PORT="4999")
    assert (done.returncode, done.stderr) == (0, "")
    wait_until(seen.exists)
    assert seen.read_text() == "http://127.0.0.1:4999,http://localhost:4999\n"
    assert machine.calls == ["server start --host 127.0.0.1 --port 4999"]
    assert stat.S_IMODE(machine.state.stat().st_mode) == 0o700
