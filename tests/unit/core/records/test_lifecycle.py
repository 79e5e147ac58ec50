"""How release records are opened and closed."""

import pytest

from flows.core.records.history import History
from flows.core.records.lifecycle import close_record, conclude, mark_deployed, open_record
from flows.core.records.record import RecordOutcome, Run
from tests.support.builders import BACK, FAILED, GOOD, OPEN, past, record, release

pytestmark = pytest.mark.unit

NOW = "2026-05-04T12:00:00+00:00"


LIVE = {"deployed": NOW}


SUPERSEDED = RecordOutcome.SUPERSEDED


def begin(history: History, tag: str = "v2", **more):
    given = {"kind": "deploy", "environment": "e1", "run": Run(id="7"), "now": NOW}
    return open_record(history, release(tag=tag), f"{tag}.0", **{**given, **more})


def test_a_record_is_opened_as_a_candidate_that_knows_what_ran_before():
    mine, left = begin(past(record(1, "v1")))
    assert (mine.number, mine.kind, mine.tag, mine.name) == (2, "deploy", "v2", "v2.0")
    assert (mine.previous, mine.previous_tag, mine.outcome, mine.environment) == ("v1.0", "v1", OPEN, "e1")
    assert (mine.leaves, mine.deployed, left) == (None, None, [])


def test_what_was_left_unfinished_is_closed_by_what_comes_after_it():
    mine, left = begin(past(record(1, "v1"), record(2, "v2", OPEN)), "v3")
    assert [(r.number, r.outcome, r.reason) for r in left] == [(2, FAILED, "interrupted: deploy 3 of v3 came after it")]
    assert mine.number == 3


def test_what_ran_and_was_never_judged_is_superseded_by_what_comes_after_it():
    history = past(record(1, "v1"), record(2, "v2", OPEN), record(3, "v2", OPEN, **LIVE))
    _, left = begin(history, "v3")
    assert [(r.number, r.outcome, r.reason, r.ended) for r in left] == [
        (2, FAILED, "interrupted: deploy 4 of v3 came after it", NOW),
        (3, SUPERSEDED, "deploy 4 of v3 came before it was judged", NOW),
    ]


def test_what_ran_and_is_rolled_back_from_for_a_reason_has_failed():
    _, left = begin(past(record(1, "v1"), record(2, "v2", OPEN, **LIVE)), "v1", kind="rollback", reason="probes failed")
    assert [(r.outcome, r.reason) for r in left] == [(FAILED, "probes failed")]


def test_a_record_says_the_oldest_format_that_knows_its_outcome():
    assert [(one, close_record(record(1, "v1"), one, NOW).format) for one in RecordOutcome if one.format > 1] == [
        (SUPERSEDED, 2)
    ]
    assert close_record(close_record(record(1, "v1"), SUPERSEDED, NOW), BACK, NOW).format == 1


def test_a_good_record_keeps_which_services_were_traced_and_a_failed_one_does_not():
    history = past(record(1, "v1", OPEN))
    assert [r.traced for r in conclude(history, history.records[0], NOW, traced=["agent", "web"])] == [("agent", "web")]
    assert [r.traced for r in conclude(history, history.records[0], NOW, "it fell over", traced=["web"])] == [()]


def test_a_rollback_says_what_it_goes_away_from_and_why():
    mine, left = begin(past(record(1, "v1"), record(2, "v2", OPEN)), "v1", kind="rollback", reason="it fell over\nmore")
    assert (mine.leaves, [(r.outcome, r.reason) for r in left]) == (2, [(FAILED, "it fell over")])
    mine, left = begin(past(record(1, "v1"), record(2, "v2")), "v1", kind="rollback")
    assert (mine.leaves, left) == (2, [])


def test_a_good_rollback_closes_both_records():
    history = past(record(1, "v1"), record(2, "v2", FAILED, reason="it fell over"), record(3, "v1", OPEN, leaves=2))
    written = conclude(history, history.records[-1], NOW)
    assert [(r.number, r.outcome, r.reason) for r in written] == [(3, GOOD, ""), (2, BACK, "it fell over")]


def test_a_failed_rollback_leaves_the_other_record_as_it_is():
    history = past(record(1, "v1"), record(2, "v2", FAILED), record(3, "v1", OPEN, leaves=2))
    written = conclude(history, history.records[-1], NOW, "sick too")
    assert [(r.number, r.outcome, r.reason) for r in written] == [(3, FAILED, "sick too")]


def test_a_reason_is_one_line_of_bounded_length():
    assert close_record(record(1, "v1"), FAILED, NOW, "\n  first line \nsecond").reason == "first line"
    assert len(close_record(record(1, "v1"), FAILED, NOW, "x" * 5000).reason) == 600


def test_a_proved_record_is_still_open():
    assert (mark_deployed(record(1, "v1", OPEN), NOW).deployed, mark_deployed(record(1, "v1", OPEN), NOW).open) == (
        NOW,
        True,
    )
