"""What a droplet needs after a run that ended in between."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.records.lifecycle import close_record, conclude
from flows.core.records.record import RecordOutcome
from flows.core.records.recovery import RecoveryAction, plan_recovery
from tests.support.builders import FAILED, GOOD, OPEN, past, record

pytestmark = pytest.mark.unit

NOW = "2026-05-04T12:00:00+00:00"


LIVE = {"deployed": NOW}


SUPERSEDED = RecordOutcome.SUPERSEDED
NOTHING = RecoveryAction.NOTHING


def test_what_was_superseded_by_a_run_that_wrote_no_record_is_still_a_candidate():
    history = past(record(1, "v1"), close_record(record(2, "v2", OPEN, **LIVE), SUPERSEDED, NOW, "deploy 3 of v3 came"))
    assert history.unfinished == record(2, "v2", OPEN, **LIVE)
    assert plan_recovery(history, []).action is RecoveryAction.VALIDATE
    assert [(r.number, r.outcome, r.reason, r.format) for r in conclude(history, history.unfinished, NOW)] == [
        (2, GOOD, "", 1)
    ]


def test_nothing_is_concluded_from_a_record_that_a_damaged_one_comes_after():
    """Whatever was done last has put there what `current` leads to, and that is all that is known of it."""
    failed = past(record(1, "v2"), record(2, "v3", FAILED), current="v1.0")
    superseded = past(
        record(1, "v2"), close_record(record(2, "v3", OPEN, **LIVE), SUPERSEDED, NOW, "x"), current="v1.0"
    )
    for history in (failed, superseded):
        assert plan_recovery(replace(history, damaged=("000003.json",), last_number=3), []).action is NOTHING
        assert plan_recovery(history, []).action is not NOTHING


CASES = {
    "an empty droplet": (past(current=""), [], RecoveryAction.NOTHING, None),
    "a good release that runs": (past(record(1, "v1")), [], RecoveryAction.NOTHING, 1),
    "a good release of which a service is gone": (past(record(1, "v1")), ["web is gone"], RecoveryAction.RESTORE, 1),
    "an interrupted deploy": (past(record(1, "v1"), record(2, "v2", OPEN)), [], RecoveryAction.ROLL_BACK, 1),
    "a deploy that was never judged": (
        past(record(1, "v1"), record(2, "v2", OPEN, **LIVE)), [], RecoveryAction.VALIDATE, 2,
    ),
    "a deploy that was never judged and does not run": (
        past(record(1, "v1"), record(2, "v2", OPEN, **LIVE)), ["web is exited"], RecoveryAction.ROLL_BACK, 1,
    ),
    "an interrupted first deploy": (past(record(1, "v1", OPEN)), [], RecoveryAction.RESTORE, 1),
    "a first deploy whose files are gone": (
        past(record(1, "v1", OPEN), gone=("v1.0",)), [], RecoveryAction.NOTHING, None,
    ),
    "an interrupted rollback": (
        past(record(1, "v1"), record(2, "v2", FAILED), record(3, "v1", OPEN, kind="rollback")), [],
        RecoveryAction.RESTORE, 3,
    ),
    "a failed release that was left": (past(record(1, "v1"), record(2, "v2", FAILED)), [], RecoveryAction.ROLL_BACK, 1),
    "a failed first release": (past(record(1, "v1", FAILED)), [], RecoveryAction.NOTHING, 1),
}  # fmt: skip


@pytest.mark.parametrize(("history", "wrong", "mending", "number"), CASES.values(), ids=CASES)
def test_what_is_mended_for(history, wrong, mending, number):
    plan = plan_recovery(history, wrong)
    assert (plan.action, plan.record.number if plan.record else None) == (mending, number)
    assert plan.why


outcomes = st.sampled_from(list(RecordOutcome))


@given(st.lists(st.tuples(st.sampled_from(["v1", "v2", "v3"]), outcomes), max_size=8), st.booleans())
def test_mending_never_goes_to_a_release_that_did_not_pass_while_there_is_one_that_did(steps, wrong):
    history = past(*(record(n, tag, outcome) for n, (tag, outcome) in enumerate(steps, 1)), current="v1.0")
    plan = plan_recovery(history, ["web is exited"] if wrong else [])
    if plan.action is RecoveryAction.ROLL_BACK:
        assert plan.record == history.last_known_good()
    if plan.action is RecoveryAction.RESTORE and plan.record.kind == "deploy":
        assert plan.record.outcome is not FAILED or not history.good()
