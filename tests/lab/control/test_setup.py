"""`slipway setup` at an empty machine, as a user who may sudo: killed in its middle, run again, and once more."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import CHECKOUT
from tests.support.lab.lab import Lab
from tests.support.lab.saved_blocks import forget
from tests.support.machine.empty_machine import ADMIN, NOBODY, EmptyMachine, open_empty_machine

pytestmark = pytest.mark.lab
BLOCK = "empty-machine"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmptyMachine]:
    with open_empty_machine("test-setup", tmp_path_factory.mktemp("empty-machine")) as made:
        yield made


class Operator:
    """Somebody who types `slipway setup` for the machine."""

    def __init__(self, machine: EmptyMachine, key: Path) -> None:
        self.words = ["--host", "127.0.0.1", "--port", str(machine.port), "--key-file", str(key)]

    def start(self, *words: str) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "flows.cli", "setup", BLOCK, *self.words, *words]
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(
            argv, env=environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=CHECKOUT,
        )  # fmt: skip

    def __call__(self, *words: str) -> tuple[int, str]:
        process = self.start(*words)
        try:
            said, _ = process.communicate(timeout=300)
        finally:
            process.kill()
        return process.returncode, said


@pytest.fixture(scope="module")
def setup(machine: EmptyMachine, lab: Lab) -> Iterator[Operator]:
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    yield Operator(machine, lab.private_key)
    forget(Droplet, BLOCK)


def test_what_cannot_be_done_is_refused_and_nothing_was_changed(machine, setup):
    before = machine.state()
    for words, said in (
        (("--user", NOBODY, "--yes"), "NOPASSWD"),
        (("--user", ADMIN, "--swap", "90000G", "--yes"), "leaves less than 1 GB"),
        (("--user", ADMIN), "Nothing was saved."),
    ):
        code, out = setup(*words)
        assert (code, said in out) == (2, True), out
    code, out = setup("--user", ADMIN, "--yes", "--dry-run")
    assert (code, "Nothing was changed." in out) == (0, True), out
    assert machine.state() == before


def test_killed_in_its_middle_and_run_again_it_ends_ready_and_a_third_time_does_nothing(machine, setup):
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    killed = setup.start("--user", ADMIN, "--yes")
    assert killed.stdout is not None
    for line in killed.stdout:
        if line.startswith("deploy user:"):
            break
    killed.kill()
    killed.communicate(timeout=30)

    code, out = setup("--user", ADMIN, "--yes")
    assert code == 0, out
    assert "engine:" not in out
    block = Droplet.load(BLOCK)
    assert (block.user, block.port) == ("slipway", machine.port)
    with block.session() as session:
        compose = session.run(["docker", "compose", "version", "--short"], timeout=30).out
        owner = session.run("stat -c '%U %a' /opt/slipway; sudo -n true 2>&1 || echo no root", timeout=30).out
    assert compose.startswith("2.")
    assert owner.startswith("slipway 700\n")
    assert owner.endswith("no root\n")
    assert "\nslipway:*:" in machine.inside("cat /etc/shadow")

    state = machine.state()
    code, out = setup("--user", ADMIN, "--yes")
    assert (code, "Nothing to do" in out) == (0, True), out
    assert machine.state() == state
