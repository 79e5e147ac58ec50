"""Writing the overview: what it is made of, and when it is not written."""

from collections.abc import Iterator

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.core.results import DropletStatus
from flows.settings import Settings
from flows.tasks.insight import overview
from flows.tasks.runs.log_masking import register_secrets
from tests.support.builders import record
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit
SECRET = "hunter2-4711-overview"
ID = "00000000-0000-0000-0000-00000000000{}".format
RUNS = [("promote shop", {"stack": "shop"}), ("promote shop there", {"stack": "shop", "destination": "staging"}),
        ("promote other", {"stack": "other"}),
        ("promote elsewhere", {"stack": "shop", "destination": "production"})]  # fmt: skip
GREEN = DropletStatus(True, "v1", record=record(1, "v1", reason=f"no {SECRET} " + "x" * 500), holder=SECRET)
Pages = dict[str, str]


def prefect(asked):
    """A Prefect server where runs wait, and an earlier run left what it found of drift."""
    if asked.path.endswith("/artifacts/latest/filter"):
        assert "drift-shop-staging" in asked.json()["artifacts"]["key"]["any_"]
        left = {
            "key": "drift-shop-staging",
            "description": f"2 differences {SECRET}",
            "updated": "2026-01-02T03:04:05Z",
        }
        return Says(200, [left])
    assert asked.json()["flow_runs"]["state"]["type"]["any_"] == ["PAUSED"]
    state = {"timestamp": "2026-01-02T03:00:00Z"}
    return Says(200, [{"id": ID(n), "name": name, "parameters": given, "state": state}
                      for n, (name, given) in enumerate(RUNS)])  # fmt: skip


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pages]:
    """The artifacts that are written, by their keys."""
    written: Pages = {}
    register_secrets([SECRET])
    monkeypatch.setenv("SLIPWAY_DESTINATION", "staging")
    monkeypatch.setattr(overview, "server_answers", lambda: True)
    monkeypatch.setattr(overview, "page", lambda key, text, _sentence: written.update({key: text}))
    with serving(prefect) as there, temporary_settings({PREFECT_API_URL: f"{there.url}/api"}):
        yield written


def settings(**more) -> Settings:
    return Settings(**{"destination": "staging", "green": ("green",), "blue": ("blue",), "switch": "edge", **more})


@pytest.fixture(autouse=True)
def _destination(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slipway.toml").write_text("[destinations.staging]\ndroplet = 'green'\n")


def test_it_says_what_was_seen_who_waits_for_this_place_and_what_was_found_last(pages: Pages):
    overview.write_overview("shop", {"green": GREEN}, ("green",), settings())
    text = pages["overview-shop"]
    assert "### shop to staging" in text
    assert "Traffic reaches **green**." in text
    waiting = [line for line in text.splitlines() if " waits" in line]
    assert [line.partition("](")[0] for line in waiting] == ["- 🟡 [promote shop", "- 🟡 [promote shop there"]
    assert f"(</runs/flow-run/{ID(0)}>)" in waiting[0]
    assert "[drift](</artifacts/key/drift-shop-staging>) | 2 differences •••• | 2026-01-02 03:04 UTC" in text
    assert SECRET not in text
    assert "x" * 300 not in text


def test_a_run_that_is_about_to_ask_is_told_before_it_waits(pages: Pages):
    overview.write_overview("shop", {"green": GREEN}, None, settings(), asking=True)
    assert pages["overview-shop"].count(" waits") == 3
    assert "Where traffic goes is not known." in pages["overview-shop"]


def test_without_a_switch_nothing_is_said_of_traffic(pages: Pages):
    overview.write_overview("shop", {"green": GREEN}, None, settings(switch=""))
    assert "raffic goes" not in pages["overview-shop"]


def test_it_is_not_written_where_nobody_wants_it_or_no_server_answers(pages: Pages, monkeypatch: pytest.MonkeyPatch):
    overview.write_overview("shop", {}, None, settings(overview=False))
    monkeypatch.setenv("SLIPWAY_OVERVIEW", "false")
    overview.keep_overview("shop")
    monkeypatch.setenv("SLIPWAY_OVERVIEW", "true")
    monkeypatch.setattr(overview, "server_answers", lambda: False)
    overview.keep_overview("shop")
    overview.write_overview("shop", {}, None, settings())
    assert pages == {}
