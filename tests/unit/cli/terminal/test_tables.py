"""Tables that fit: what gives way, what is folded, what is cut and where."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.tables import SummaryTable, fitting_widths, marked, services_table, shown_image
from flows.core.gates.probes import Phase, ProbeResult
from flows.core.results import ServiceState
from tests.support.builders import digest, pinned

pytestmark = pytest.mark.unit


def lines(table: SummaryTable, *, width: int = 80, wide: bool = False) -> list[str]:
    file = io.StringIO()
    SummaryConsole(file=file, width=width, wide=wide).print(table)
    return file.getvalue().splitlines()


def test_columns_are_as_wide_as_their_longest_value_and_lines_end_with_it():
    table = SummaryTable("service", "no.")
    table.add_row("a-long-service", "1")
    table.add_row("b", "")
    assert lines(table) == ["service         no.", "a-long-service  1", "b"]
    assert table.row_count == 2


@pytest.mark.parametrize(
    ("natural", "free", "room", "widths"),
    [
        ([5, 10], [False, True], 40, [5, 10]),
        ([30, 90], [False, True], 60, [30, 30]),
        ([30, 90], [False, True], 45, [25, 20]),
        ([30, 90, 60], [False, True, True], 90, [30, 30, 30]),
        ([90, 8], [False, False], 40, [32, 8]),
        ([90, 80], [True, True], 2, [1, 1]),
    ],
)
def test_free_text_gives_way_first_and_the_widest_before_others(natural, free, room, widths):
    assert fitting_widths(natural, free, room) == widths


def test_free_text_is_folded_at_words_and_ends_after_four_lines():
    table = SummaryTable("name", "why", free_text=["why"])
    table.add_row("web", "one two three four five six seven eight nine ten eleven twelve thirteen fourteen")
    assert lines(table, width=16) == [
        "name  why",
        "web   one two",
        "      three four",
        "      five six",
        "      seven…",
    ]


def test_a_name_is_cut_in_its_middle_because_its_end_says_more():
    table = SummaryTable("image")
    table.add_row("registry.example.com/team/web:v2")
    assert lines(table, width=20) == ["image", "registr…/team/web:v2"]


def test_a_line_below_a_row_is_indented_and_folded():
    table = SummaryTable("what")
    table.add_row("deploy", below="the reason why it failed")
    assert lines(table, width=20) == ["what", "deploy", "    the reason why", "    it failed"]


def test_markup_line_breaks_and_escapes_of_others_are_only_text():
    table = SummaryTable("found")
    table.add_row("[red]a[/red]\n\x1b[31mb\r\tc\x07")
    assert lines(table) == ["found", "[red]a[/red] [31mb c"]


def test_a_digest_inside_a_text_is_short_unless_wide():
    table = SummaryTable("image")
    table.add_row(f"web@{digest('a')}")
    assert lines(table)[1] == "web@sha256:aaaaaaaaaaaa"
    assert lines(table, wide=True)[1] == f"web@{digest('a')}"


words = st.text(st.characters(codec="utf-8"), max_size=200)


@given(rows=st.lists(st.tuples(words, words, words, words), min_size=1, max_size=5), width=st.integers(40, 200))
def test_no_line_is_ever_wider_than_the_console(rows, width):
    table = SummaryTable("a", "b", "c", "d", free_text=["b", "d"])
    for *cells, below in rows:
        table.add_row(Text("✓"), *cells, below=below)
    console = SummaryConsole(file=io.StringIO(), width=width)
    assert [line for line in table.__rich_console__(console, console.options) if line.cell_len > width] == []


def test_an_image_is_shown_by_its_digest_or_whole():
    reference = pinned("web")
    assert shown_image(reference, wide=False) == "sha256:aaaaaaaaaaaa"
    assert shown_image(reference, wide=True) == reference
    assert shown_image("postgres:16", wide=False) == "postgres:16"


def test_a_mark_has_its_colour():
    assert [str(marked(mark, "x").style) for mark in "✓✗?"] == ["green", "red", "yellow"]
    assert marked("✓").plain == "✓"


def test_probes_that_all_passed_are_counted_and_others_named():
    states = {name: ServiceState(pinned(name), "running", "healthy") for name in ("db", "web")}
    probes = [ProbeResult("web", phase, True, "ok") for phase in (Phase.HEALTH, Phase.MCP)]
    unknown = ProbeResult("web", Phase.TRACE, False, "", known=False)
    console = SummaryConsole(file=io.StringIO())
    assert (
        lines(services_table(console, states, probes))[2] == "web      running, healthy  ✓ all 2  sha256:aaaaaaaaaaaa"
    )
    assert "? trace" in lines(services_table(console, states, [*probes, unknown]))[2]
    assert "probes" not in lines(services_table(console, states))[0]
