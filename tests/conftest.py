"""What a test run exchanges with the lab's stand-in for DigitalOcean's API is checked, all of it, by one hook."""

import os
from pathlib import Path
from typing import Any

import pytest

# A test that asks Prefect by mistake fails at once; otherwise Prefect starts a server of its own, for half a minute.
os.environ.setdefault("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "false")
pytest.register_assert_rewrite("tests.support", "tests.stacks", "tests.faults.harness")

from tests import attack_report  # noqa: E402
from tests.lanes import LaneScheduling  # noqa: E402
from tests.support.lab import api_contract  # noqa: E402 — what helpers assert is shown in full

BEGAN, CHECKED = pytest.StashKey[int](), pytest.StashKey[api_contract.Checked]()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LaneScheduling:
    """With `-n`, several processes run tests, each a lane at a time."""
    return LaneScheduling(config, log)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remember what had been exchanged before."""
    if _is_one_of_several(session.config):
        return
    found = api_contract.exchanged(0)
    session.config.stash[BEGAN] = found[-1]["n"] if found else 0


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Check every request and every answer against the official description; a violation fails the session."""
    if not api_contract.SPEC.exists() or _is_one_of_several(session.config):
        return
    found = api_contract.exchanged(session.config.stash.get(BEGAN, 0))
    if not found:
        return
    checked = api_contract.check(found)
    session.config.stash[CHECKED] = checked
    api_contract.write(checked)
    if checked.violations and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _is_one_of_several(config: pytest.Config) -> bool:
    """Whether this process runs tests for another one, which checks the whole."""
    return hasattr(config, "workerinput")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what was checked, and keep what became of the attacks."""
    if not _is_one_of_several(config):
        stats = terminalreporter.stats
        ran = [(one.nodeid, kind) for kind in ("passed", "failed", "error", "skipped") for one in stats.get(kind, ())]
        attack_report.write(ran, Path(os.environ.get("SLIPWAY_REPORTS") or "reports"))
    checked = config.stash.get(CHECKED, None)
    if checked is None:
        return
    terminalreporter.section("DigitalOcean's API as described")
    terminalreporter.write_line(checked.sentence)
    for violation in checked.violations[:20]:
        terminalreporter.write_line(violation)
