"""The question that a person is asked: whole, readable, and no text that was found takes it apart."""

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows.core.deploy.deployed_state import DeployedState
from flows.core.errors import NotPromoted
from flows.core.gates.verdict import GateResult, Verdict
from flows.core.quotation import Markup, literal
from flows.core.traffic.approval import approval_question, coloured_verdict, home_question, must_ask, short_digest
from flows.core.traffic.promotion_plan import Change, PromotionPlan
from tests.support.builders import digest, pinned, release

pytestmark = pytest.mark.unit

PLAN = PromotionPlan(
    stack="shop",
    to="blue",
    left="green",
    target=("b1",),
    switch="switch edge",
    client_impact="Nothing is cut.",
    tag="v2",
    old_tag="v1",
    changes=(Change("web", pinned("web"), pinned("web", "b")), Change("new", "", pinned("new", "c"))),
    keys=("A (added)", "B (changed)"),
    notes=("a note",),
    mark="",
)
READINGS = [
    GateResult("health", Verdict.PASS, "9 of 9", "every one"),
    GateResult("latency", Verdict.FAIL, "9 s", "5 s"),
]


def rows(text: str, head: str) -> list[list[str]]:
    """The cells of a table, divided as Markdown does: at each bar that no backslash takes away."""
    table = text.split(head)[1].split("\n\n", maxsplit=1)[0]
    lines = table.splitlines()[1:]
    assert all(line.startswith("| ") and line.endswith(" |") for line in lines)
    return [re.findall(r"(?:\\.|[^|\\])+", line) for line in lines]


def cells(text: str, head: str) -> list[list[str]]:
    return [[cell.replace("\\|", "|").strip() for cell in row] for row in rows(text, head)]


def test_the_question_is_the_plan_and_the_gates():
    assert approval_question(PLAN, READINGS, 60).splitlines() == [
        "### Traffic of switch edge goes to release v2 on blue (b1), away from v1 on green.",
        "",
        "Nothing is cut.",
        "",
        "| service | change | old | new |",
        "| --- | --- | --- | --- |",
        "| web | changed | aaaaaaaaaaaa | bbbbbbbbbbbb |",
        "| new | new | none | cccccccccccc |",
        "",
        "Environment keys that differ: A (added), B (changed).",
        "- a note",
        "",
        "| gate | verdict | found | wanted |",
        "| --- | --- | --- | --- |",
        "| health | 🟢 pass | 9 of 9 | every one |",
        "| latency | 🔴 fail | 9 s | 5 s |",
        "",
        "- 🔴 fail: latency: 9 s (wanted: 5 s)",
        "",
        "No answer within 60 minutes means no.",
    ]


def test_gates_that_all_passed_need_no_words():
    asked = approval_question(PLAN, READINGS[:1], 60)
    assert asked.endswith("| health | 🟢 pass | 9 of 9 | every one |\n\nNo answer within 60 minutes means no.")


def test_no_key_that_differs_is_said_too():
    assert "\nEnvironment keys that differ: none.\n\n" in approval_question(replace(PLAN, keys=(), notes=()), [], 0.5)
    assert approval_question(PLAN, [], 0.5).endswith("No answer within 0.5 minutes means no.")


@given(st.text(), st.text())
@example("a | b", "line\nbreak")
@example("a \\| b", "ends with \\")
@example("| --- |", "\r\n\n\u2028x")
def test_no_text_that_was_found_breaks_the_table(found, wanted):
    asked = approval_question(PLAN, [GateResult("x", Verdict.FAIL, found, wanted), *READINGS], 60)
    told = cells(asked, "| gate | verdict | found | wanted |\n")
    assert [row[0] for row in told] == ["x", "health", "latency"]
    assert [re.sub(r"^(`+)( ?)(.*)\2\1$", r"\3", cell) for cell in told[0][2:]] == [shown(found), shown(wanted)]


def shown(text: str) -> str:
    return " ".join(text.split()).replace("\\|", "\\ |")


@pytest.mark.parametrize(
    "words",
    ["[All gates passed](http://x)", "![x](http://x/y.png)", "<img src=x>", "**All gates passed**", "www.example.com",
     "http://example.com", "# All gates passed", "a ` b `` c", "1. passed", "~~failed~~"],
)  # fmt: skip
def test_what_was_found_is_shown_as_it_is_and_never_as_markdown(words):
    asked = approval_question(PLAN, [GateResult("x", Verdict.FAIL, words, "none")], 60)
    [line] = [line for line in asked.splitlines() if line.startswith("- 🔴 fail: x: ")]
    assert re.search(r"x: (`+) ?" + re.escape(words) + r" ?\1 \(wanted: none\)$", line)
    assert literal(Markup("`is code`")) == "`is code`"


def test_the_home_is_asked_for_with_what_it_had():
    before = DeployedState("home", release(tag="v1", services={"db": pinned("db")}))
    asked = home_question(release(tag="v2", services={"db": pinned("db", "b"), "mq": pinned("mq")}), before, 60)
    assert asked.startswith("### Release v2 goes to the data home home, over v1.\n\nBoth colours use what runs there; ")
    assert cells(asked, "| service | old | new |\n") == [
        ["db", "aaaaaaaaaaaa", "bbbbbbbbbbbb"],
        ["mq", "none", "aaaaaaaaaaaa"],
    ]
    assert asked.endswith("\nNo answer within 60 minutes means no.")


def test_an_empty_home_is_said_to_be_empty():
    asked = home_question(release(), DeployedState("home"), 60)
    assert asked.splitlines()[0] == "### Release v1 goes to the data home home, where nothing runs yet."


@pytest.mark.parametrize(
    ("verdict", "observed", "shown"),
    [
        (Verdict.PASS, False, "🟢 pass"),
        (Verdict.FAIL, False, "🔴 fail"),
        (Verdict.INCONCLUSIVE, False, "🟡 inconclusive"),
        (Verdict.FAIL, True, "🔴 fail (observed only)"),
    ],
)
def test_a_verdict_has_a_light(verdict, observed, shown):
    assert coloured_verdict(GateResult("x", verdict, "", observed=observed)) == shown


@pytest.mark.parametrize(
    ("reference", "shown"), [(f"host:5000/a@{digest('e')}", "sha256:eeeeeeeeeeee"), ("", "none"), ("host/a:1", "none")]
)
def test_a_digest_is_as_long_as_an_eye_can_compare(reference, shown):
    assert short_digest(reference) == shown


PASS, OPEN = Verdict.PASS, Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("mode", "verdict", "approved", "asks"),
    [
        ("never", PASS, None, False), ("inconclusive", PASS, None, False), ("inconclusive", OPEN, None, True),
        ("always", PASS, None, True), ("always", OPEN, None, True), ("always", PASS, PASS, False),
        ("always", OPEN, PASS, True), ("inconclusive", OPEN, OPEN, False), ("inconclusive", PASS, OPEN, False),
    ],
)  # fmt: skip
def test_a_person_is_asked_where_wanted_and_a_yes_to_a_pass_says_nothing_of_an_open_question(
    mode, verdict, approved, asks
):
    assert must_ask(mode, verdict, approved, "blue") is asks


def test_where_nobody_may_be_asked_an_open_question_ends_it():
    with pytest.raises(NotPromoted, match=r"the gates of blue \(b1\) are inconclusive: x, and approval is never"):
        must_ask("never", OPEN, None, "blue (b1) are inconclusive: x")
