"""Where a rollback goes, and when it is refused."""

import pytest

from flows.core.errors import AlreadyRunning, NoRollbackTarget, ReleaseNotOnDroplet
from flows.core.records.record import RecordOutcome
from flows.core.records.rollback_target import rollback_target
from tests.support.builders import BACK, FAILED, OPEN, past, record

pytestmark = pytest.mark.unit

SUPERSEDED = RecordOutcome.SUPERSEDED


WAYS = {
    "from a good release to the good one before it": (past(record(1, "v1"), record(2, "v2")), None, 1),
    "from a candidate to the last known good": (past(record(1, "v1"), record(2, "v2", OPEN)), None, 1),
    "from a failed one to the last known good": (past(record(1, "v1"), record(2, "v2", FAILED)), None, 1),
    "to a release by its tag": (past(record(1, "v1"), record(2, "v2"), record(3, "v3")), "v1", 1),
    "to the same release, of which a second deploy was cut": (past(record(1, "v1"), record(2, "v1", OPEN)), None, 1),
    "past one that was rolled back from": (past(record(1, "v1"), record(2, "v2", BACK), record(3, "v3")), None, 1),
    "past one that was good first and rolled back from later": (
        past(record(1, "v1"), record(2, "v2"), record(3, "v2", BACK), record(4, "v3")), None, 1,
    ),
    "past one whose files are gone": (past(record(1, "v1"), record(2, "v2"), record(3, "v3"), gone=("v2.0",)), None, 1),
    "past one that was superseded": (
        past(record(1, "v1"), record(2, "v2", SUPERSEDED), record(3, "v3", OPEN)), None, 1,
    ),
    "to a good release of which a second deploy was superseded": (
        past(record(1, "v1"), record(2, "v1", SUPERSEDED), record(3, "v2", OPEN)), None, 1,
    ),
    "to what is good again": (past(record(1, "v1", BACK), record(2, "v1"), record(3, "v2", OPEN)), None, 2),
}  # fmt: skip


@pytest.mark.parametrize(("history", "to", "number"), WAYS.values(), ids=WAYS)
def test_a_rollback_goes(history, to, number):
    assert rollback_target(history, to).number == number


REFUSED = {
    "a tag that is not on record, with near ones": (
        past(record(1, "v1"), record(2, "v2")),
        "v3",
        ReleaseNotOnDroplet,
        "v2",
    ),
    "a tag that is not on record, with all good ones": (past(record(1, "one")), "x", ReleaseNotOnDroplet, "good: one"),
    "the release that runs": (past(record(1, "v1"), record(2, "v2")), "v2", AlreadyRunning, "what runs already"),
    "one that never passed": (past(record(1, "v1", FAILED), record(2, "v2")), "v1", NoRollbackTarget, "never passed"),
    "one that was superseded": (
        past(record(1, "v1", SUPERSEDED), record(2, "v2")),
        "v1",
        NoRollbackTarget,
        "never passed",
    ),
    "no record": (past(current=""), None, NoRollbackTarget, "nothing was ever deployed"),
    "no other good one": (past(record(1, "v1")), None, NoRollbackTarget, "no other release"),
    "no good one at all": (past(record(1, "v1", FAILED)), None, NoRollbackTarget, "no other release"),
}


@pytest.mark.parametrize(("history", "to", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_a_rollback_is_refused_to(history, to, error, words):
    with pytest.raises(error, match=words):
        rollback_target(history, to)
