"""The overview of a destination: what it says, and that no name in it is more than text."""

from datetime import UTC, datetime

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from flows.core.insight.overview import AskingRun, DestinationOverview, LastFinding
from flows.core.records.record import RecordOutcome, Run
from flows.core.results import DropletStatus, ServiceState
from tests.support.builders import record

pytestmark = pytest.mark.unit
READ = datetime(2026, 1, 2, 3, 4, tzinfo=UTC).isoformat()
STRANGE = [
    "a | b", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "`", "``a`|", "**bold**", "# head", "a\\|b",
    "![x](http://elsewhere)", "www.elsewhere.example", "&lt;b&gt;", "\n| --- |\n", "~~a~~", "1. one", "--- ",
    "a\n\n> b",
]  # fmt: skip


def shop(**more) -> DestinationOverview:
    run = Run(id="7", name="deploy shop v2", url="http://prefect/runs/flow-run/7", by="ci@runner")
    good = record(2, "v2", run=run, deployed="2026-01-02T02:04:00+00:00")
    green = DropletStatus(True, "v2", {"web": ServiceState("i", "running", "healthy")}, record=good, share=75)
    blue = DropletStatus(
        False, "v1", {"web": ServiceState("i", "running", "unhealthy"), "db": ServiceState("i", "exited", "none")},
        record=record(1, "v1", RecordOutcome.FAILED, reason="web: unhealthy"), holder="deploy by me@here",
    )  # fmt: skip
    given = {
        "stack": "shop", "destination": "staging", "read": READ, "droplets": {"green": green, "blue": blue},
        "colours": ("green",), "run": "promote shop", "link": "/runs/flow-run/8",
    }  # fmt: skip
    return DestinationOverview(**{**given, **more})


def tokens(text: str) -> list[Token]:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)


def cells(text: str) -> list[list[str]]:
    """The rows of every table, each cell as it is read."""
    rows: list[list[str]] = []
    for before, token in zip(tokens(text), tokens(text)[1:], strict=False):
        if token.type == "tr_open":
            rows.append([])
        if token.type == "inline" and before.type in ("td_open", "th_open"):
            rows[-1].append("".join(one.content for one in token.children or ()))
    return rows


def test_it_says_what_runs_where_since_when_and_by_whom():
    text = shop().markdown()
    assert text.startswith("### shop to staging\n\nTraffic reaches **green**.\n")
    names, green, blue = cells(text)
    assert dict(zip(names, green, strict=True)) == {
        "droplet": "green", "traffic": "🟢 active (75 %)", "release": "v2", "outcome": "🟢 good",
        "since": "2026-01-02 02:04 UTC", "by": "ci@runner", "run": "deploy shop v2", "services": "1 of 1 well",
    }  # fmt: skip
    said = dict(zip(names, blue, strict=True))
    assert (said["traffic"], said["outcome"]) == ("⚪ idle", "🔴 failed")
    assert said["services"] == "1 of 2 well"
    for remark in ("web: running, unhealthy", "is being changed: deploy by me@here", "web: unhealthy"):
        assert f"\n- blue: {remark}\n" in text
    assert "[deploy shop v2](<http://prefect/runs/flow-run/7>)" in text
    assert text.endswith("Read 2026-01-02 03:04 UTC by [promote shop](</runs/flow-run/8>).\n")


def test_it_says_what_was_found_last_and_who_waits():
    found = [LastFinding("gates of blue", "blue (blue): fail", READ, "/artifacts/key/gates-shop-blue")]
    text = shop(found=found, asking=[AskingRun("promote shop", "/runs/flow-run/9", READ)]).markdown()
    assert "- 🟡 [promote shop](</runs/flow-run/9>) waits since 2026-01-02 03:04 UTC" in text
    assert cells(text)[-1] == ["gates of blue", "blue (blue): fail", "2026-01-02 03:04 UTC"]


def test_a_droplet_that_sleeps_keeps_state_or_cannot_be_asked_says_so():
    seen = {
        "blue": DropletStatus(False, "v1", {"web": ServiceState("i", "exited", "none")}, asleep=True),
        "data": DropletStatus(None, None, home=True),
        "green": DropletStatus(None, None, trouble="no route"),
    }
    text = shop(droplets=seen, colours=None).markdown()
    rows = cells(text)
    assert [(row[1], row[2], row[4]) for row in rows[1:]] == [
        ("⚪ asleep", "v1", ""),
        ("data home", "none", ""),
        ("", "none", ""),
    ]
    assert "- green: could not be looked at: no route\n" in text
    assert "Where traffic goes is not known." in shop(colours=None).markdown()
    assert "Traffic" not in shop(colours=()).markdown()


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_name_stays_text_wherever_it_stands(name: str):
    told = record(1, name, reason=name, run=Run(id="7", name=name, url=name, by=name))
    seen = {name: DropletStatus(True, name, {name: ServiceState(name, name, name)}, name, told, name)}
    text = shop(
        stack=name, destination=name, droplets=seen, colours=(name,), run=name, link=name,
        found=[LastFinding(name, name, name, name)], asking=[AskingRun(name, name, name)],
    ).markdown()  # fmt: skip
    kinds = [one.type for token in tokens(text) for one in (token, *(token.children or ()))]
    assert not {"html_inline", "html_block", "link_open", "image", "em_open", "s_open", "blockquote_open"} & set(kinds)
    assert (kinds.count("table_open"), kinds.count("heading_open"), kinds.count("bullet_list_open")) == (2, 1, 2)
    assert "ordered_list_open" not in kinds
    assert [len(row) for row in cells(text)] == [8, 8, 3, 3]


def test_a_link_leads_to_a_page_of_the_web_or_of_the_ui_and_nowhere_else():
    for url in ("javascript:alert(1)", "//elsewhere", "data:text/html,x", "http://a b", "http://a)>[x](http://b", ""):
        assert "](" not in shop(link=url).markdown().rpartition("Read")[2]
