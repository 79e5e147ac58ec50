"""What is shown while a flow runs: its steps and their times, what is news in its log, an error on one line."""

import io
import logging
import re

import pytest

from flows.cli.terminal.console import SummaryConsole, show_error
from flows.cli.terminal.progress import Progress
from flows.core.errors import ServicesNotReady

pytestmark = pytest.mark.unit


def record(message: str, level: int = logging.INFO, **more) -> logging.LogRecord:
    made = logging.LogRecord("prefect.task_runs", level, "a.py", 1, message, (), None)
    made.__dict__.update(more)
    return made


def shown(*records: logging.LogRecord, verbose: bool = False) -> list[str]:
    file = io.StringIO()
    progress = Progress(SummaryConsole(file=file), verbose)
    with progress.shown():
        for each in records:
            progress.handle(each)
    return [line.strip() for line in file.getvalue().splitlines()]


def test_progress_is_a_list_of_steps_with_their_times():
    [flow, step] = shown(
        record("Beginning flow run 'x' for flow 'deploy'", flow_name="deploy", flow_run_name="deploy v1 to green"),
        record("Finished in state Completed()", task_run_name="put [files]"),
    )
    assert flow == "▶ deploy v1 to green"
    assert re.fullmatch(r"✓ put \[files\]\s+0\.0 s", step)


@pytest.mark.parametrize(
    ("line", "quiet", "verbose"),
    [
        (record("pulled layer", slipway_raw=True), [], ["pulled layer"]),
        (record("9 images are there"), [], ["9 images are there"]),
        (record("✓ web: 200 ok"), ["✓ web: 200 ok"], ["✓ web: 200 ok"]),
        (record("odd [thing]", logging.WARNING), ["odd [thing]"], ["odd [thing]"]),
        (record("Created task run"), [], []),
        (record("Finished in state Failed('x')", logging.ERROR), [], []),
        (record("Task run failed", logging.ERROR, exc_info=(ValueError, ValueError(), None)), [], []),
    ],
)
def test_of_a_runs_log_only_what_is_news_is_shown(line, quiet, verbose):
    assert shown(line) == quiet
    assert shown(line, verbose=True) == verbose


def test_a_long_line_of_the_log_is_not_broken():
    assert shown(record("x " * 200, logging.WARNING)) == [("x " * 200).strip()]


def test_progress_leaves_the_loggers_as_they_were():
    before = list(logging.getLogger("prefect.flow_runs").handlers)
    shown()
    assert logging.getLogger("prefect.flow_runs").handlers == before


def test_an_error_is_one_line_and_its_words_are_no_markup():
    file = io.StringIO()
    show_error(SummaryConsole(file=file), ServicesNotReady(f"on green: [bold]x[/bold] [/] {'long ' * 40}end"))
    assert file.getvalue() == f"✗ ServicesNotReady: on green: [bold]x[/bold] [/] {'long ' * 40}end\n"
