"""What a person reads when a flow has ended: plain when piped, coloured on a terminal."""

import io
import re
from dataclasses import replace
from functools import partial

import pytest

from flows.cli.cloud import show_rehearsed
from flows.cli.terminal.console import SummaryConsole
from flows.core.cloud.rehearsal import Rehearsed
from flows.core.insight.stability.condition import Stability
from flows.core.results import DropletStatus
from tests.support.builders import digest
from tests.unit.cli.results import Show, Values

pytestmark = pytest.mark.unit

COLOUR = re.compile(r"\x1b\[[0-9;]*3\dm")
RESULTS = Values().results()
MARKUP = "[red]not markup[/red] [/]"


def printed(show: Show, *, wide: bool = False, **given) -> str:
    file = io.StringIO()
    show(SummaryConsole(file=file, wide=wide, **given))
    return file.getvalue()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.parametrize("show", RESULTS.values(), ids=RESULTS)
def test_a_pipe_gets_plain_text(show):
    text = printed(show)
    assert text.strip()
    assert "\x1b" not in text


@pytest.mark.parametrize("name", ["deployed", "validated", "status", "history", "gates", "plan", "pruned", "cleanup"])
def test_a_terminal_gets_colours_unless_it_asks_for_none(name, monkeypatch):
    assert COLOUR.search(printed(RESULTS[name], force_terminal=True))
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in printed(RESULTS[name], force_terminal=True)


@pytest.mark.parametrize(
    "name", ["validated", "status", "history", "pruned", "gates", "plan", "rehearsed", "debug result", "reconciled"]
)
def test_words_of_others_are_no_markup(name):
    assert MARKUP in " ".join(printed(Values(text=MARKUP).results()[name], width=200).split())


SAYS = {
    "published": ["web  sha256:aaaaaaaaaaaa\n", "Published release v1, after v0 in 1.2 s."],
    "deployed": ["Release v1 runs on green, by digest. 1 images were pulled, 21.0 MB. In 2.5 s."],
    "validated": ["✓  web  health  200 ok", "✗  web  workflow  200 ok", "1 of 3 probes passed for release v1 on green"],
    "released": [
        "web running, healthy ✗ workflow, ? trace sha256:aaaaaaaaaaaa",
        "build-push 1.2 deploy 2.5 validate 0.5",
        "Release v1 of shop runs on green, by digest, validated.",
        "The run in the Prefect UI: http://ui/run",
        "The edge: http://edge",
    ],
    "released and promoted": ["build-push took 1.2 s.", "Traffic of http://edge reaches blue (release v1)"],
    "status": ["green · release v1 · active · failed, deploy 2", "db running, unhealthy sha256:aaaaaaaaaaaa"],
    "no status": ["slipway droplet add NAME"],
    "rolled back": ["Release v1 runs on green again, instead of v2, by digest, validated."],
    "reconciled": ["green: nothing to do. 200 ok"],
    "history": [
        "no. what release outcome began by",
        "2 deploy v1 failed 2026-05-04 12:00 200 ok",
        "→ 1 deploy v1 good 2026-05-04 12:00 web",
        "record 000009.json is damaged, and left out",
        "blue nothing was put here yet",
    ],
    "pruned": [
        "goes release v1 old",
        "stays container web 200 ok",
        "Removed 1 release, 1 image (up to 21.0 MB) of shop",
    ],
    "would prune": [
        "Would remove 1 release",
        "Nothing was changed.",
        "Reports: debug-a.tar.gz would go: older than 90 days",
    ],
    "prunable": ["container web", "All this goes from green", "1 named volumes stay"],
    "system pruned": ["green: 200 ok. All 1 named volumes are still there."],
    "debug result": ["✗ 200 ok", "noted", "Looked at web on green in 2.0 s: reports/a.tgz (2 kB)"],
    "all well": ["Every service of shop on green is well."],
    "deploy plan": [
        "replaced 200 ok; environment: KEY",
        "1 image to pull, 41.2 MB; 3 of 5 layers are there.",
        "KEY (added)",
        "The last 2 there took 12 s, 15 s",
    ],
    "differences": [
        "v0 → v1",
        "1.0 MB → 2.5 MB",
        "Packages",
        "644 3 bytes",
        "Environment keys",
        "Settings",
        "3 services have the same image.",
    ],
    "story": ["runs on green", "Commit c0ffee", "failed", "approved by 200 ok", "Prefect 26.0 s", "debug-shop-blue"],
    "plan": ["web changed sha256:bbbbbbbbbbbb sha256:aaaaaaaaaaaa", "new new none", "Nothing is lost."],
    "gates": [
        "gate fail ✗ fail 200 ok 200 ok",
        "trace errors ? inconclusive 200 ok 200 ok observed only: it decides nothing",
        "blue: ✗ fail in 12.0 s",
    ],
    "promoted": ["Approved by Ada: yes.", "green is kept warm", "The run in the Prefect UI: http://ui"],
    "traffic moved": ["reaches blue (release v1), away from green: switched after 0.10 s, answering after 0.20 s."],
    "adopted": [
        "web 200 ok prod/home 200 ok",
        "Project web on prod is now shop-green behind the edge, as release v1. It was away for 4.2 s.",
        "slipway adopt --undo",
    ],
    "adoption finished": ["The stopped containers of web are removed. Volumes stay."],
    "watched": ["blue held for 60 s: 4 readings, 1 failing, 1 inconclusive."],
    "cleanup": ["goes", "stays", "Removed 1 from registry. 2 blobs and 3.0 MB are free."],
    "snapshot": ["Would take slipway-1 of green.", "$24.00 a month", "Nothing was changed."],
    "provisioned": ["Droplet rehearsal (7) is at 203.0.113.9, with Docker 28."],
    "decommissioned": ["Droplet rehearsal is gone"],
    "rehearsed": ["web 1.5 200 ok", "20 requests, 0 failed", "Deviation: 200 ok", "Rehearsed shop v1"],
    "account droplets": ["web active 203.0.113.10 fra1 s-2vcpu-4gb 24.00 200 ok"],
    "provenance": [
        "digest sha256:aaaaaaaaaaaa",
        "release shop v1 service web commit 1e34647a1e34647a1e34647a1e34647a1e34647a, and changes beside it",
        "base debian:13 image id sha256:cccccccccccc",
        "built by web, Slipway 0.2.0",
        "12 packages: 12 deb",
        "deb web0 1.0 200 ok",
        "2 more: --packages",
        "not listed: 200 ok",
        "green web v1 2026-05-04 12:00:00",
    ],
    "no provenance": ["No provenance is attested", "No SBOM is attested", "It runs on no droplet."],
    "waiting run": ["promote shop waits for an answer:", "web"],
    "given answer": ["promote shop: approve, by Ada: looked at it."],
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_summary_holds_what_a_person_looks_for(name):
    text = " ".join(printed(RESULTS[name]).split())
    for words in SAYS[name]:
        assert " ".join(words.split()) in text


def test_all_packages_are_listed_when_asked_for():
    text = printed(partial(RESULTS["provenance"], packages=True))
    assert "web11" in text
    assert "--packages" not in text


def test_all_probes_of_a_service_are_named_when_there_is_room_without_an_end():
    assert "✓ health, ✗ workflow, ? trace" in printed(RESULTS["released"], wide=True)
    assert digest("a") in printed(RESULTS["released"], wide=True)


def test_a_forced_way_on_is_told_by_the_name_it_has_now():
    report = Rehearsed("shop", "v1", Stability("v1", 0.0, 1, 1, 0, 0, ("too young",)), skipped="too young")
    assert "All the same: slipway rehearse --force" in printed(lambda console: show_rehearsed(console, report))


def test_a_colour_that_was_put_to_sleep_is_told_with_the_way_back():
    promoted = RESULTS["promoted"].keywords["promoted"]
    text = " ".join(printed(partial(RESULTS["promoted"], promoted=replace(promoted, asleep=True))).split())
    assert "green is asleep: slipway switch-back wakes it and goes there." in text
    assert "kept warm" not in text


def test_the_time_of_waking_is_told_when_there_was_one():
    moved = replace(RESULTS["traffic moved"].keywords["moved"], woken_after=2.5)
    text = " ".join(printed(partial(RESULTS["traffic moved"], moved=moved)).split())
    assert "away from green: woken after 2.50 s, switched after 0.10 s" in text


def test_a_droplet_that_is_asleep_says_so():
    found = {"green": DropletStatus(False, "v1", asleep=True)}
    assert "green · release v1 · idle · asleep" in printed(partial(RESULTS["status"], found=found))
