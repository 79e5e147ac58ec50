"""The page: words of others do nothing in it, it needs nothing else, and it stays small."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from compose.lab.week import made_report
from flows.core.insight.stability.markdown import stability_markdown
from flows.core.insight.stability.report import ReleaseRow
from flows.core.insight.stability.stories import FailureStory
from flows.tasks.insight import plots
from flows.tasks.insight.page import stability_page
from flows.tasks.insight.shell import masked
from flows.tasks.runs.log_masking import register_secrets

pytestmark = pytest.mark.unit
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SECRET = "sentinel-of-the-stability-page"
EVIL = f"<script>alert(1)</script>\x1b[2J'\"><img src=x onerror=alert(1)> | [x](javascript:alert(1)) {SECRET}"


class Page(HTMLParser):
    """Every tag of a page with its attributes, and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.scripts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] == "script" and data.strip():
            self.scripts.append(data)


@pytest.fixture(scope="module")
def report():
    return made_report(NOW)


@pytest.fixture
def attacked(report):
    register_secrets([SECRET])
    story = FailureStory(EVIL, EVIL, EVIL, EVIL, EVIL, (EVIL,), EVIL, EVIL)
    row = ReleaseRow(
        EVIL, EVIL, EVIL, EVIL, EVIL, (EVIL,), EVIL, EVIL, EVIL, True, EVIL, EVIL, EVIL, "javascript:alert(1)"
    )
    parts = tuple(replace(one, name=EVIL) for one in report.numbers[2].parts)
    numbers = (*report.numbers[:2], replace(report.numbers[2], parts=parts, title=EVIL, why=EVIL), *report.numbers[3:])
    return replace(
        report, stack=EVIL, destination=EVIL, stories=(story,), releases=(row,), numbers=numbers, remarks=(EVIL,),
        queries=(EVIL,), condition=replace(report.condition, release=EVIL, reasons=(EVIL,)),
    )  # fmt: skip


def test_no_word_of_others_is_a_tag_a_handler_a_script_or_a_link(attacked):
    found, plain = Page(stability_page(attacked)), Page(stability_page(made_report(NOW)))
    assert len(found.scripts) == 1
    assert found.scripts == plain.scripts
    assert {tag for tag, _ in found.tags} <= {tag for tag, _ in plain.tags}
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    links = [attributes["href"] for tag, attributes in found.tags if tag == "a"]
    assert links
    assert all(link.startswith("#") for link in links)


def test_secrets_and_what_a_terminal_obeys_are_nowhere(attacked):
    for text in (stability_page(attacked), stability_markdown(masked(attacked))):
        assert SECRET not in text
        assert "••••" in text
        assert "\x1b" not in text


def test_markdown_shows_words_of_others_letter_by_letter(attacked):
    text = stability_markdown(masked(attacked))
    assert not [line for line in text.splitlines() if re.search(r"(?<!`)<script>", re.sub(r"`+[^`]*`+", "", line))]
    assert "[run](" not in text


def test_the_page_needs_nothing_else(report):
    text = stability_page(report)
    loads = [a for _, attributes in Page(text).tags for n, a in attributes.items() if n in ("src", "srcset", "data")]
    assert loads == []
    assert not re.search(r"@import|url\((?!#)", text)
    policy = next(a["content"] for tag, a in Page(text).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")


def test_colours_of_plots_are_those_of_the_page_and_their_text_is_text(report):
    pytest.importorskip("matplotlib")
    drawn = plots.stability_plots(report)
    assert set(drawn) == {one.key for one in report.numbers}
    for key, svg in drawn.items():
        assert not re.search(r"#[0-9a-f]{6}\b", svg), key
        assert "<text" in svg
        assert "<image" not in svg
    ids = re.findall(r'\bid="([^"]+)"', "".join(drawn.values()))
    assert len(ids) == len(set(ids))


def test_without_the_plotting_library_the_page_has_its_tables_and_says_what_is_missing(report, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(plots, "import_module", missing)
    text = stability_page(report)
    assert "slipway[report]" in text
    assert "<svg" not in text
    assert 'id="releases"' in text
    assert plots.overview_picture(report) == ""


def test_a_page_of_a_thousand_releases_on_three_droplets_stays_below_two_megabytes():
    found = made_report(NOW, releases=1000)
    assert sum(row.what == "deploy" for row in found.releases) == 1000
    assert {droplet for row in found.releases for droplet in row.droplets} == {"green", "green-2", "blue"}
    assert len(stability_page(found).encode()) <= 2_000_000


def test_made_records_are_said_to_be_made(report):
    assert "Nobody released anything" in stability_page(report)
    assert "Nobody released anything" not in stability_page(replace(report, made=False))
    assert "Nobody released anything" in stability_markdown(report)
