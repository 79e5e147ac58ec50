"""However long the values of others: no line of a table is wider than the terminal, and --wide loses nothing."""

import io
import json
from typing import Any

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from flows.cli import records
from flows.cli.looking import status
from flows.cli.main import app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.tables import SummaryTable
from flows.core.results import DropletStatus
from flows.looking.traffic import Traffic
from tests.support.builders import digest
from tests.unit.cli.results import Values

pytestmark = pytest.mark.unit

SERVICE = "a-service-whose-name-is-forty-characters"
IMAGE = f"{'registry.example.com/' + 'deep/' * 30:.149}x@{digest('d')}"
REASON = " ".join(["a reason", *["that goes on"] * 385])
HOSTILE = {
    "long": Values(SERVICE, IMAGE, REASON, "v" * 120),
    "without a space": Values(SERVICE, IMAGE, "x" * 5000, "v1"),
    "of two columns": Values(SERVICE, IMAGE, "的" * 5000, "v" * 120),
    "with lines and escapes": Values(SERVICE, IMAGE, "[bold]\x1b[31m\r\n\t" * 700, "v1"),
}
# What --wide must show whole; sentences show it whole anyway.
WHOLE = {
    "published": (SERVICE, IMAGE),
    "deployed": (SERVICE, IMAGE),
    "validated": (SERVICE, REASON),
    "released": (SERVICE, IMAGE),
    "released and promoted": (SERVICE, IMAGE, REASON),
    "status": (SERVICE, IMAGE),
    "rolled back": (SERVICE, IMAGE),
    "history": (SERVICE, REASON),
    "pruned": (SERVICE, IMAGE, REASON),
    "would prune": (SERVICE, IMAGE, REASON),
    "prunable": (SERVICE, IMAGE, REASON),
    "plan": (SERVICE, IMAGE),
    "deploy plan": (SERVICE, REASON),
    "differences": (SERVICE, IMAGE),
    "story": (SERVICE, REASON),
    "gates": (REASON,),
    "promoted": (SERVICE, IMAGE, REASON),
    "cleanup": (IMAGE, REASON),
    "rehearsed": (SERVICE, REASON),
    "account droplets": (SERVICE, REASON),
    "provenance": (SERVICE, IMAGE.partition("@")[0], IMAGE.partition("@")[2], REASON),
    "waiting run": (SERVICE,),
}


class TablesOnly(SummaryConsole):
    """Prints no sentence, for those are not broken; and a table only if it fits without being wrapped."""

    def say(self, sentence: str) -> None:
        """Leave it out."""

    def print(self, *shown: Any, **how: Any) -> None:
        """Print a table that fits."""
        for table in shown:
            if isinstance(table, SummaryTable):
                assert max(line.cell_len for line in table.__rich_console__(self, self.options)) <= self.width
        super().print(*shown, **how)


def tables(name: str, values: Values, *, wide: bool = False, width: int = 80) -> str:
    file = io.StringIO()
    values.results()[name](TablesOnly(file=file, wide=wide, width=width))
    return file.getvalue()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def test_the_values_are_as_long_as_they_are_meant_to_be():
    assert (len(SERVICE), len(REASON) >= 5000, len(IMAGE.partition("@")[0])) == (40, True, 150)


@pytest.mark.parametrize("width", [80, 60, 200])
@pytest.mark.parametrize("values", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", WHOLE)
def test_no_line_of_a_table_is_wider_than_the_terminal(name, values, width):
    text = tables(name, values, width=width)
    lines = text.splitlines()
    assert lines
    assert [line for line in lines if cell_len(line) > width] == []
    assert "\x1b" not in text


@pytest.mark.parametrize("name", WHOLE)
def test_what_was_cut_is_whole_when_the_lines_may_be_as_long_as_they_like(name):
    text = tables(name, HOSTILE["long"], wide=True)
    for value in WHOLE[name]:
        assert value in text


@pytest.mark.parametrize("name", [name for name, whole in WHOLE.items() if REASON in whole])
def test_a_long_reason_takes_a_few_lines_and_says_that_it_goes_on(name):
    text = tables(name, HOSTILE["long"])
    assert "…" in text
    assert len(text.splitlines()) < 60


@pytest.mark.parametrize("name", [name for name, whole in WHOLE.items() if IMAGE in whole])
def test_a_digest_is_shown_by_twelve_digits(name):
    text = tables(name, Values(image=f"web@{digest('d')}"))
    assert "sha256:dddddddddddd" in text
    assert "d" * 13 not in text


def said(*words: str) -> str:
    answer = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert answer.exit_code == 0
    return answer.stdout


def test_history_is_cut_in_a_pipe_and_whole_when_asked(monkeypatch):
    found = {"green": HOSTILE["long"].records}
    monkeypatch.setattr(records, "look", lambda *_: found)
    assert [line for line in said("history").splitlines() if cell_len(line) > 80] == []
    assert REASON not in said("history")
    assert REASON in said("history", "--wide")
    assert json.loads(said("history", "--json"))["droplets"]["green"][1]["reason"] == REASON


def test_status_is_cut_in_a_pipe_and_whole_when_asked(monkeypatch):
    found = {"green": DropletStatus(True, "v1", HOSTILE["long"].states)}
    monkeypatch.setattr(status, "look", lambda *_: (found, Traffic()))
    assert [line for line in said("status").splitlines() if cell_len(line) > 80] == []
    assert IMAGE not in said("status")
    assert IMAGE in said("status", "--wide")
    assert json.loads(said("status", "--json"))["droplets"]["green"]["services"][SERVICE]["image"] == IMAGE
