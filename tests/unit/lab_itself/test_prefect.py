"""The lab's Prefect server: its state is its user's alone, it has a login, and only its own UI may read its API."""

import asyncio
import json
import stat
import tomllib

import pytest
from prefect.workers.process import ProcessJobConfiguration

from tests import CHECKOUT
from tests.support import wait_until
from tests.support.lab_scripts import Machine

pytestmark = pytest.mark.unit
POOL = json.loads((CHECKOUT / "work-pool.json").read_text())
UNUSED = object()  # a client: nothing of the template is asked from a server


def start(machine: Machine, seen: str) -> str:
    """Start a server that only says what it sees, and ends; what it said."""
    file = machine.root / "seen"
    file.unlink(missing_ok=True)
    prefect = machine.put("prefect", f'echo "{seen}" >{file}.new; mv {file}.new {file}')
    (machine.state / "bin").mkdir(exist_ok=True)
    if not (machine.state / "bin/prefect").exists():
        (machine.state / "bin/prefect").symlink_to(prefect)
    others = {"PREFECT_API_AUTH_STRING": "mine:elsewhere", "PREFECT_SERVER_API_AUTH_STRING": "mine:elsewhere"}
    done = machine.run("prefect.sh", "start", SLIPWAY_PREFECT_PORT="4999", **others)
    assert (done.returncode, done.stderr) == (0, "")
    wait_until(file.exists)
    return file.read_text()


def test_the_state_is_closed_and_so_is_the_api_to_other_pages(tmp_path):
    machine = Machine.at(tmp_path)
    machine.state.chmod(0o755)
    assert start(machine, "$PREFECT_SERVER_CORS_ALLOWED_ORIGINS") == "http://127.0.0.1:4999,http://localhost:4999\n"
    assert machine.calls == ["server start --host 127.0.0.1 --port 4999"]
    assert stat.S_IMODE(machine.state.stat().st_mode) == 0o700


def test_the_login_is_made_once_and_stands_in_a_file_of_its_users_alone(tmp_path):
    machine = Machine.at(tmp_path)
    assert machine.run("prefect.sh", "login").returncode == 1
    home = machine.state / "prefect"
    assert start(machine, "$PREFECT_HOME $PREFECT_API_AUTH_STRING$PREFECT_SERVER_API_AUTH_STRING") == f"{home} \n"
    file = home / "profiles.toml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    profiles = tomllib.loads(file.read_text())
    own = profiles["profiles"][profiles["active"]]
    assert own["PREFECT_API_AUTH_STRING"] == own["PREFECT_SERVER_API_AUTH_STRING"]
    name, _, password = own["PREFECT_API_AUTH_STRING"].partition(":")
    assert (name, len(password)) == ("slipway", 32)
    assert machine.run("prefect.sh", "login").stdout == f"slipway:{password}\n"
    before = file.read_text()
    assert machine.run("prefect.sh", "start", SLIPWAY_PREFECT_PORT="4999").returncode == 0
    assert file.read_text() == before
    assert password not in str(machine.calls)


def test_two_labs_have_two_logins(tmp_path):
    logins = set()
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        machine = Machine.at(tmp_path / name)
        start(machine, "")
        logins.add(machine.run("prefect.sh", "login").stdout)
    assert len(logins) == 2


def test_of_what_a_run_brings_the_pool_makes_nothing():
    brought = {"command": "touch x", "env": {"PATH": "x"}, "env.HOME": "x", "working_dir": "/", "name": "{{ x }}"}
    made = asyncio.run(ProcessJobConfiguration.from_template_and_values(POOL, brought, client=UNUSED))
    assert made == asyncio.run(ProcessJobConfiguration.from_template_and_values(POOL, {}, client=UNUSED))
    assert (made.command, made.env, made.working_dir) == (None, {}, None)
    assert POOL["variables"]["additionalProperties"] is False
