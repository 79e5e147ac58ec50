"""The lab, one connection into it, names that nothing else has, and the report of the judge."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest

from tests.support.judge.report import Report
from tests.support.lab.lab import Lab, connect, find_lab, use_settings

use_settings()


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The lab that runs."""
    return find_lab()


@pytest.fixture(scope="session")
def green(lab: Lab) -> Iterator[paramiko.SSHClient]:
    """One SSH connection to the droplet green, with its host key pinned."""
    with connect(lab, "green") as client:
        yield client


@pytest.fixture
def unique() -> str:
    """A name that nothing else has."""
    return f"test-{uuid.uuid4().hex[:12]}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what the judge found, and keep it: `reports/differential.md`. It comes with the tests' reports, from whatever
    process they ran in."""
    outcomes = ("passed", "failed", "error")
    report = Report.of(one for outcome in outcomes for one in terminalreporter.getreports(outcome))
    if report:
        terminalreporter.section("released, and run by plain Compose")
        for sentence in report.sentences():
            terminalreporter.write_line(sentence)
        report.write(Path(os.environ.get("SLIPWAY_REPORTS") or "reports"))
