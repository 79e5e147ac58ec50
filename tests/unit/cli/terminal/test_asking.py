"""A question before the first change: at a terminal alone, never in CI, and with nothing moving meanwhile."""

import io
import logging
from types import SimpleNamespace

import pytest
import typer

from flows.cli.terminal import progress as progress_module
from flows.cli.terminal import runner
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.progress import Progress
from flows.tasks.runs.context import PLAN, run_context
from tests.support.builders import pinned
from tests.support.stories import deploy_plan

pytestmark = pytest.mark.unit


@pytest.fixture
def terminal(monkeypatch):
    """Whether there is one, on both sides, and whether this is CI."""

    def be(reads: bool, writes: bool, ci: str = "") -> None:
        monkeypatch.setattr(runner.sys, "stdin", SimpleNamespace(isatty=lambda: reads))
        monkeypatch.setattr(runner.sys, "stdout", SimpleNamespace(isatty=lambda: writes))
        monkeypatch.setenv("CI", ci)

    return be


@pytest.mark.parametrize(
    ("reads", "writes", "ci", "there"),
    [(True, True, "", True), (False, True, "", False), (True, False, "", False), (True, True, "true", False)],
)
def test_somebody_is_there_at_a_terminal_only(terminal, reads, writes, ci, there):
    terminal(reads, writes, ci)
    assert runner._somebody_is_there() is there


def test_without_a_terminal_nobody_is_asked_and_who_wanted_to_be_is_told(monkeypatch, capsys):
    monkeypatch.setattr(runner, "_somebody_is_there", lambda: False)
    assert runner.run_callable(lambda: run_context().asking, asks=True, confirms=True, quiet=True) is None
    assert "Nobody is asked: this is no terminal." in capsys.readouterr().err
    assert runner.run_callable(lambda: run_context().asking, asks=True, quiet=True) is None
    assert capsys.readouterr().err == ""


def test_at_a_terminal_the_run_knows_whom_to_ask_and_commands_that_change_nothing_do_not(monkeypatch):
    monkeypatch.setattr(runner, "_somebody_is_there", lambda: True)
    asking = runner.run_callable(lambda: run_context().asking, asks=True, confirms=False, quiet=True)
    assert asking is not None
    assert asking.wanted is False
    assert runner.run_callable(lambda: run_context().asking, quiet=True) is None


def test_nothing_moves_while_a_question_stands_and_a_broken_off_answer_is_a_no(monkeypatch):
    shown, moves = Progress(SummaryConsole(file=io.StringIO()), verbose=False), []
    shown._status = SimpleNamespace(stop=lambda: moves.append("stop"), start=lambda: moves.append("start"))

    def confirm(question: str) -> bool:
        moves.append(question)
        raise typer.Abort

    monkeypatch.setattr(progress_module.typer, "confirm", confirm)
    assert shown.ask("Sure?") is False
    assert moves == ["stop", "Sure?", "start"]


def test_a_plan_in_the_log_is_a_table_in_the_terminal():
    file = io.StringIO()
    record = logging.LogRecord("prefect.flow_runs", logging.INFO, "", 0, "its sentence", None, None)
    setattr(record, PLAN, deploy_plan("web", pinned("web"), "why\x1b[2J", "v1"))
    Progress(SummaryConsole(file=file, width=80), verbose=False).emit(record)
    text = file.getvalue()
    assert "Plan: release v1 on green instead of v0" in text
    assert "replaced" in text
    assert "its sentence" not in text
    assert "\x1b" not in text
