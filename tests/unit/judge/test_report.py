"""The judge's report: its text, and how the rows of several processes come into one."""

import json
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.judge.report import READINGS, ROUND, Readings, Report, Round

pytestmark = pytest.mark.unit

SAME = Round("shop", 1, containers=3, fields=900, entries=40, secrets=5, published=1_200_000, replaced="shop-web-1")
REFUSED = Round("unset", 1, refused="UnsetVariables: …")
DIFFERENT = Round(
    "shop", 2, containers=3, fields=900, entries=40, differences=["web: Path: 'a', plain Compose has 'b'"]
)
WRONG = Readings(60, 3, ["generated stack 0007\ndroplet: services.web.command[0]: '1e3' here, '1000.0' there"])


def reports(*rows: Round | Readings) -> list[SimpleNamespace]:
    """Reports of tests, each with one row, as they come back from another process: as JSON."""
    named = [(ROUND if isinstance(row, Round) else READINGS, asdict(row)) for row in rows]
    return [SimpleNamespace(user_properties=[tuple(json.loads(json.dumps(one)))]) for one in named]


def test_the_report_is_a_summary_and_a_row_for_each_release():
    assert Report([SAME, REFUSED]).markdown() == (
        "# Released, and run by plain Compose\n\n"
        "2 stacks, 2 releases, 3 containers, 900 fields compared, 40 of these files and directories.\n"
        "5 secrets were looked for in 1,200,000 published bytes.\n"
        "0 differences in 0 releases that are not on the list (docs/STACK.md).\n\n"
        "| stack | release | containers | fields | of these files and directories | replaced | result |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| shop | 1 | 3 | 900 | 40 | shop-web-1 | the same |\n"
        "| unset | 1 | 0 | 0 | 0 | none | refused, on purpose |\n"
    )


def test_each_difference_is_named():
    text = Report([SAME, DIFFERENT]).markdown()
    assert "1 differences in 1 releases" in text
    assert "| shop | 2 | 3 | 900 | 40 | none | 1 differences |" in text
    assert text.endswith("## shop, release 2\n\n- `web: Path: 'a', plain Compose has 'b'`\n")


def test_what_was_not_read_alike_is_shown_with_what_was_read():
    text = Report([], [WRONG]).markdown()
    assert "60 generated stacks were read by plain Compose, the build host and a droplet, 3 of them refused" in text
    assert "1 were not read alike." in text
    assert text.endswith(f"## Not read alike\n\n```\n{WRONG.wrong[0]}\n```\n")


@pytest.mark.parametrize("sign", ["|", "`", "\n"])
def test_signs_of_markdown_do_not_break_the_page(sign: str):
    rounds = [Round(f"a{sign}b", 1, replaced=f"c{sign}d", differences=[f"e{sign}f"])]
    table = [line for line in Report(rounds).markdown().splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in table} == {8}
    assert len(table) == 3


def test_rows_of_several_processes_come_into_one_report_in_the_order_of_the_stacks():
    report = Report.of([*reports(DIFFERENT, WRONG), SimpleNamespace(user_properties=[]), *reports(REFUSED, SAME)])
    assert report == Report([SAME, DIFFERENT, REFUSED], [WRONG])
    assert Report.of(reversed(reports(SAME, DIFFERENT, REFUSED, WRONG))) == report


def test_a_run_that_played_nothing_has_no_report():
    assert not Report.of([SimpleNamespace(user_properties=[("fault", {})])])


def test_the_report_is_kept_for_people_and_for_programs(tmp_path: Path):
    report = Report([SAME], [WRONG])
    report.write(tmp_path / "reports")
    assert (tmp_path / "reports" / "differential.md").read_text() == report.markdown()
    assert json.loads((tmp_path / "reports" / "differential.json").read_text()) == asdict(report)
