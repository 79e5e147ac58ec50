"""`slipway stability`: a compact view in a terminal, plain when piped; JSON; and the page, where it was asked for."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from compose.lab.week import made_report
from flows.cli import main
from flows.cli.looking import stability
from flows.cli.terminal.console import SummaryConsole

pytestmark = pytest.mark.unit
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
EVIL = "[red]x[/red] \x1b[2J<b> "


@pytest.fixture(scope="module")
def report():
    return made_report(NOW)


def shown(report, *, terminal: bool = False, width: int = 80) -> str:
    out = io.StringIO()
    console = SummaryConsole(
        file=out, force_terminal=terminal, width=width, color_system="standard" if terminal else None
    )
    stability.show_stability(console, report)
    return out.getvalue()


def test_piped_it_is_plain_and_its_table_fits_eighty_columns(report):
    text = shown(replace(report, stories=(), remarks=()))
    table = text.splitlines()[1:-1]
    assert len(table) > 9
    assert max(map(len, table)) <= 80
    assert "\x1b" not in text
    assert not set(text) & set("▁▂▃▄▅▆▇█")
    for one in report.numbers:
        assert one.wanted in text


def test_a_terminal_shows_the_course_by_days(report):
    assert "█" in shown(report, terminal=True, width=120)
    assert "by days" in shown(report, terminal=True, width=120)


def test_what_did_not_hold_and_what_is_not_known_is_told_and_the_condition_comes_last(report):
    text = shown(replace(report, remarks=("blue could not be asked",)))
    assert report.stories[0].words in text
    assert "Afterwards: rolled back to" in text
    assert "? blue could not be asked" in text
    assert text.splitlines()[-1].startswith("The active release is not stable: ")


def test_words_of_others_command_no_terminal_and_are_no_markup_of_ours(report):
    story = replace(report.stories[0], tag=EVIL, words=EVIL, place=EVIL, afterwards=EVIL, failed=(EVIL,))
    text = shown(replace(report, stories=(story,), remarks=(EVIL,)))
    assert "\x1b" not in text
    assert text.count("[red]x[/red]") == 6


def test_no_data_says_how_much_would_be_enough(report):
    empty = replace(report.numbers[1], value=None, count=0, verdict="not enough data", why="no releases; 5 would do")
    text = shown(replace(report, numbers=(empty,)))
    assert "unknown" in text
    assert "not enough data: no releases; 5 would do" in " ".join(text.split())


def test_json_and_the_page_come_from_one_look(report, monkeypatch, tmp_path):
    def look(work, stack):
        monkeypatch.setattr("flows.looking.stability.look_at_stability", lambda *_: report)
        return work(None, "shop", None)

    monkeypatch.setattr(stability, "look", look)
    said = CliRunner().invoke(main.app, ["stability", "--json", "--html", str(tmp_path / "own.html")])
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)
    assert (told["format"], len(told["numbers"]), told["stable"]) == (1, 9, False)
    assert {"key", "value", "unit", "count", "interval", "threshold", "verdict", "behind"} <= set(told["numbers"][0])
    ids = {row["id"] for row in told["releases"]}
    assert {one for number in told["numbers"] for one in number["behind"]} <= ids
    assert (tmp_path / "own.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("days", ["0", "-1", "367", "x", "nan"])
def test_days_that_cannot_be_are_refused(days):
    assert CliRunner().invoke(main.app, ["stability", "--days", days]).exit_code == 2
