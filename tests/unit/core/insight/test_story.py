"""The story of a release: its placements, what replaced it, what is not known, and where the time went."""

import json

import pytest

from flows.core.errors import NothingKnown
from flows.core.insight.comparison.contents import ReleaseContents
from flows.core.insight.story.story import before_of, bundles_of, placements_of, release_story, run_ids
from flows.core.insight.story.timeline import RunTimeline, Span, covered
from flows.core.records.history import read_history
from flows.core.records.measurements import Measurements, Turn
from flows.core.records.record import Run
from tests.support.builders import FAILED, GOOD, past, pinned, record, release
from tests.support.stories import told_story

pytestmark = pytest.mark.unit

NOON, LATER = "2026-05-04T12:00:00+00:00", "2026-05-04T12:00:30+00:00"


def test_what_it_replaced_and_what_replaced_it_is_told_droplet_by_droplet():
    green = past(record(1, "v1", began=NOON), record(2, "v2", began=LATER, previous_tag="v1"), record(3, "v3"))
    blue = past(record(1, "v2", FAILED, began=NOON))
    found = placements_of("v2", {"green": green, "blue": blue, "nothing was ever put there": past(current="")})
    assert [(one.droplet, one.replaced, one.followed_by, one.runs) for one in found] == [
        ("blue", "", "", True), ("green", "v1", "v3", False),
    ]  # fmt: skip
    assert before_of(found) == "v1"


def test_a_release_that_came_twice_is_told_twice_and_only_the_last_stands_there():
    history = past(record(1, "v1"), record(2, "v2"), record(3, "v1"))
    assert [(one.record.number, one.runs) for one in placements_of("v1", {"green": history})] == [(1, False), (3, True)]


def test_a_release_that_nobody_knows_is_refused_with_what_to_ask():
    with pytest.raises(NothingKnown, match="slipway history"):
        release_story("shop", "v9", (), None)


def test_one_that_was_only_published_has_a_story_without_placements():
    story = release_story("shop", "v1", (), ReleaseContents("v1", release()))
    assert story.sentence == "Release v1 of shop was put on no droplet."
    assert story.as_json()["placements"] == []


def test_records_of_before_are_read_and_what_they_do_not_hold_is_unknown_and_never_zero():
    old = json.loads(record(1, "v1", GOOD).document())
    old = {key: value for key, value in old.items() if key not in ("measured", "traced", "leaves", "run", "began")}
    history = read_history([("000001.json", json.dumps(old)), ("000002.json", "{")], {"v1.0"}, "v1.0", "shop")
    story = release_story("shop", "v1", placements_of("v1", {"green": history}), None)
    (one,) = story.placements
    assert (one.seconds, one.runs, story.services, story.lead_seconds) == (None, True, None, None)
    assert story.notes == (
        "its records are of a version that measured nothing: what they do not hold is unknown",
        "no run is on record that put it on green",
    )
    assert run_ids(story.placements) == ()


def test_the_way_from_commit_to_clients_ends_with_the_first_turn_or_deploy():
    def placed(droplet: str, deployed: str, turn: str = "", committed: str = "2026-05-04T11:00:00+00:00"):
        measured = Measurements(committed=committed, turn=Turn(colour="green", at=turn) if turn else None)
        return {droplet: past(record(1, "v1", began=NOON, deployed=deployed, measured=measured))}

    one = placements_of("v1", placed("green", LATER, "2026-05-04T13:00:00+00:00"))
    both = placements_of("v1", {**placed("green", LATER), **placed("blue", NOON)})
    wrong = placements_of("v1", placed("green", LATER, committed="2027-01-01T00:00:00+00:00"))
    found = [release_story("shop", "v1", which, None).lead_seconds for which in (one, both, wrong)]
    assert found == [7200.0, 3600.0, None]


def test_bundles_are_its_own_only_of_its_droplet_and_while_it_stood_there():
    history = past(record(1, "v1", began=NOON), record(2, "v2", began="2026-05-04T13:00:00+00:00"))
    taken = ("green-20260504T120010", "green-20260504T140000", "blue-20260504T120010", "green-20260504T115959")
    names = [f"debug-shop-{what}.000Z.tar.gz" for what in taken]
    names += ["stability.html", "debug-shop-green-x.tar.gz", "debug-shop-green-99999999T999999.000Z.tar.gz"]
    assert bundles_of(placements_of("v1", {"green": history}), names) == (names[0],)


def test_prefects_share_is_what_no_step_covers_and_steps_at_once_count_once():
    spans = (Span("run", 0, 10, 0, False), Span("deploy", 1, 9, 1, False), Span("a", 2, 3, 2, True),
             Span("b", 3, 3, 2, True), Span("c", 8, 1, 2, True))  # fmt: skip
    found = RunTimeline("1", "run", "", NOON, spans)
    assert (found.seconds, found.prefect_seconds) == (10, 5)
    assert RunTimeline("1", "run", "", NOON, spans, whole=False).prefect_seconds is None
    assert RunTimeline("1", "run", "", NOON, spans[:2]).prefect_seconds is None
    assert covered([(5, 6), (0, 2), (1, 3), (1, 1)]) == 4


def test_a_story_as_json_is_json_with_every_record():
    said = json.loads(json.dumps(told_story("web", pinned("web"), "text", "v1").as_json()))
    assert [one["record"]["outcome"] for one in said["placements"]] == ["failed", "good"]
    assert said["runs"][0]["prefect_seconds"] == 26.0
    assert said["lead_seconds"] == 3630.0


def test_a_run_that_is_on_record_twice_is_asked_for_once():
    run = Run(id="1")
    histories = {name: past(record(1, "v1", run=run)) for name in ("green", "blue")}
    assert run_ids(placements_of("v1", histories)) == ("1",)
