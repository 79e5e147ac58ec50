"""The page of a release's story: it opens without a network, and nothing of others' words runs, leads or is told."""

import html
import re
from html.parser import HTMLParser

import pytest

from flows.core.insight.story.story import placements_of, release_story
from flows.tasks.insight.shell import rendered, shown_seconds
from flows.tasks.insight.story import story_page
from flows.tasks.runs import log_masking
from flows.tasks.runs.log_masking import register_secrets
from tests.support.builders import past, pinned, record
from tests.support.stories import told_story

pytestmark = pytest.mark.unit

HOSTILE = "</title></style><script>alert(1)</script><img src=x onerror=alert(1)>\"'{{ 7*7 }}\x1b[2J"


class Read(HTMLParser):
    """What tags, links and texts a page has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data) -> None:
        self.text += data


def page(text: str = "plain", **more) -> str:
    return story_page(told_story("web", pinned("web"), text, "v1", **more))


def test_words_of_others_are_text_wherever_they_stand():
    said = page(HOSTILE, url="javascript:alert(1)")
    read = Read(said)
    assert not {"script", "img"} & set(read.tags)
    assert not any(name.startswith("on") for name, _ in read.attributes)
    assert {value for name, value in read.attributes if name == "href"} == {
        "debug-shop-blue-20260504T120010.000Z.tar.gz"
    }
    assert "<script>alert(1)</script>" in read.text
    assert "{{ 7*7 }}" in read.text
    assert "\x1b" not in said


def test_it_needs_no_network_and_forbids_everything_but_its_own_looks():
    said = page()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', said)
    assert policy
    assert html.unescape(policy[1]).startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'none';")
    assert [value for name, value in Read(said).attributes if name in ("src", "srcset", "action")] == []
    assert "url(" not in said
    assert "@import" not in said


def test_secrets_are_not_told(monkeypatch):
    monkeypatch.setattr(log_masking, "_mask", log_masking.Mask())
    register_secrets(["hunter2hunter2"])
    assert "hunter2hunter2" not in page("before hunter2hunter2 after")


def test_it_tells_the_whole_story():
    text = Read(page("what was said")).text
    for words in ("c0ffee", "replaced v0", "was followed by v9", "Approved by what was said", "26.0 s",
                  "debug-shop-blue", "requests lost: unknown", "Not verified: what was said"):  # fmt: skip
        assert words in " ".join(text.split())


def test_bars_stay_within_their_track():
    for left, width in re.findall(r"left: ([0-9.]+)%; width: ([0-9.]+)%", page()):
        assert 0 <= float(left) <= 100
        assert float(left) + float(width) <= 100.01


def test_a_release_of_which_little_is_known_has_a_page_that_says_so():
    story = release_story("shop", "v1", placements_of("v1", {"green": past(record(1, "v1"))}), None)
    text = " ".join(Read(story_page(story)).text.split())
    for words in ("Began at an unknown time UTC", "its services never were ready", "By an unknown person",
                  "cannot be read any more", "nothing known to compare it with", "No run of it is known"):  # fmt: skip
        assert words in text


def test_a_script_of_ours_runs_by_its_hash_alone(monkeypatch):
    monkeypatch.setattr(
        "flows.tasks.insight.shell._template", lambda _name: "{{ script_hash }}|{{ script }}|{{ more }}"
    )
    assert rendered("x", script="a<b", more="<i>").endswith("|a<b|&lt;i&gt;")
    assert rendered("x", script="a<b").startswith("&#39;sha256-")


TOLD = {None: "unknown", 0: "0.0 s", 119: "119.0 s", 120: "2.0 min", 7200: "2.0 h", 172800: "2.0 d"}


@pytest.mark.parametrize(("value", "said"), TOLD.items())
def test_seconds_are_told_in_a_unit_that_fits(value, said):
    assert shown_seconds(value) == said
