"""The stability page in a Chromium, opened from disk without a network: it shows what it says, and runs no script of
others. No server is needed for that."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from compose.lab.week import made_report
from flows.tasks.insight.page import stability_page
from tests.browser.conftest import ARGUMENTS, BROWSERS

pytestmark = pytest.mark.browser
EVIL = "<script>window.theirs = 1</script><img src=x onerror='window.theirs = 1'><svg onload='window.theirs = 1'>"
DESK, PHONE = {"width": 1240, "height": 1130}, {"width": 390, "height": 844}


@dataclass
class Opened:
    """A page that was opened: what its console said, and what it asked for."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """The page of a made week, and one whose every word is an attack."""
    report = made_report(datetime(2026, 5, 4, 12, tzinfo=UTC))
    stories = tuple(replace(one, tag=EVIL, words=EVIL, place=EVIL, failed=(EVIL,)) for one in report.stories)
    numbers = tuple(
        replace(one, why=EVIL, parts=tuple(replace(part, name=EVIL) for part in one.parts)) for one in report.numbers
    )
    rows = tuple(replace(one, tag=EVIL, by=EVIL, run=EVIL) for one in report.releases)
    attacked = replace(report, stack=EVIL, stories=stories, numbers=numbers, releases=rows, remarks=(EVIL,))
    place = tmp_path_factory.mktemp("page")
    found = {"week": report, "attacked": attacked}
    for name, one in found.items():
        (place / f"{name}.html").write_text(stability_page(one))
    return {name: place / f"{name}.html" for name in found}


@pytest.fixture
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        pytest.skip("no Chromium is installed: apt-get install --no-install-recommends chromium fonts-dejavu")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=found, args=ARGUMENTS)


def opened(browser: Browser, file: Path, *, dark: bool = False, size: dict[str, int] = DESK) -> Opened:
    context = browser.new_context(viewport=size, color_scheme="dark" if dark else "light", offline=True)
    found = Opened(context.new_page())
    found.page.on("console", lambda message: found.said.append(message.text))
    found.page.on("pageerror", lambda error: found.said.append(str(error)))
    found.page.on("request", lambda request: found.asked.append(request.url))
    found.page.goto(file.as_uri())
    return found


def colours(page: Page) -> tuple[str, str, str]:
    """Of the paper, of the text, and of a line of a plot."""
    strokes = "[...document.querySelectorAll('svg.plot path')].map(one => getComputedStyle(one).stroke)"
    line = f"{strokes}.find(stroke => stroke != 'none')"
    of_body = "getComputedStyle(document.body)"
    return tuple(page.evaluate(what) for what in (f"{of_body}.backgroundColor", f"{of_body}.color", line))


def test_it_shows_nine_plots_without_a_network_and_says_nothing_on_the_console(browser, files):
    found = opened(browser, files["week"])
    assert found.page.locator("svg.plot").count() == 9
    assert found.page.locator("svg.plot text").first.is_visible()
    assert (found.said, found.asked) == ([], [files["week"].as_uri()])
    if wanted := os.environ.get("SLIPWAY_PICTURES"):
        found.page.screenshot(path=Path(wanted) / "stability.png")


def test_dark_light_and_paper_have_colours_of_their_own_plots_included(browser, files):
    light, dark = opened(browser, files["week"]).page, opened(browser, files["week"], dark=True).page
    seen = colours(light), colours(dark)
    dark.emulate_media(media="print")
    seen = (*seen, colours(dark))
    for number, word in enumerate(("paper", "text", "line")):
        assert len({one[number] for one in seen[:2]}) == 2, word
    assert seen[2][0] == "rgb(255, 255, 255)"
    assert len(dark.pdf()) > 10_000


def test_nothing_is_wider_than_a_phone(browser, files):
    page = opened(browser, files["week"], size=PHONE).page
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_table_is_sorted_by_the_head_that_is_pressed_and_back(browser, files):
    page = opened(browser, files["week"]).page
    table = page.locator("table.sortable", has=page.locator("th", has_text="requests after"))
    head = table.locator("th").last

    def told() -> list[int]:
        return [int(words.replace(",", "")) for words in table.locator("tbody tr td:last-child").all_inner_texts()]

    before = told()
    head.locator("button").click()
    assert told() == sorted(before) != before
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").click()
    assert told() == sorted(before, reverse=True)


def test_a_number_leads_to_the_rollout_that_weighs_against_it(browser, files):
    page = opened(browser, files["week"]).page
    page.locator("#rollout_success a").first.click()
    assert page.locator("tr:target").count() == 1


def test_no_script_of_others_runs(browser, files):
    found = opened(browser, files["attacked"])
    assert found.page.evaluate("window.theirs") is None
    assert (found.said, found.asked) == ([], [files["attacked"].as_uri()])
    assert EVIL in found.page.inner_text("article.story >> nth=0")
    assert found.page.locator("script").count() == 1


def test_a_script_that_came_in_all_the_same_would_be_refused(browser, files, tmp_path):
    torn = tmp_path / "torn.html"
    torn.write_text(files["week"].read_text().replace("</header>", "</header><script>window.theirs = 1</script>"))
    found = opened(browser, torn)
    assert found.page.evaluate("window.theirs") is None
    assert any("Content Security Policy" in words for words in found.said)
