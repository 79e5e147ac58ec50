"""Whether what runs has been stable for long enough, as its records say."""

from datetime import UTC, datetime, timedelta

import pytest

from flows.core.insight.stability.condition import StabilityLimits, judge_stability
from flows.core.records.record import Record, RecordOutcome

pytestmark = pytest.mark.unit
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
GOOD, FAILED, SUPERSEDED = RecordOutcome.GOOD, RecordOutcome.FAILED, RecordOutcome.SUPERSEDED
WANTED = StabilityLimits(days=7, success_rate=0.9, rollbacks=0, gate_failures=0)


def record(number: int, days: float, kind: str = "deploy", outcome: RecordOutcome = GOOD, reason: str = "") -> Record:
    began = (NOW - timedelta(days=days)).isoformat()
    return Record(
        number=number, stack="shop", kind=kind, tag=f"v{number}", name=f"v{number}.0", began=began, outcome=outcome,
        reason=reason,
    )  # fmt: skip


def test_a_release_that_held_for_long_enough_is_stable():
    found = judge_stability({"green": [record(1, 30), record(2, 8)]}, WANTED, NOW)
    assert (found.stable, found.release, round(found.days)) == (True, "v2", 8)


CASES = {
    "too young": ([record(1, 3)], "it runs for 3.0 days, wanted are 7"),
    "not good": ([record(1, 9, outcome=FAILED)], "not on record as good"),
    "nothing there": ([], "not on record as good"),
    "rolled back": ([record(1, 9), record(2, 5, "rollback"), record(3, 4)], "1 rollbacks, at most 0"),
    "failed gates": (
        [record(1, 9), record(2, 5, outcome=FAILED, reason="failed a gate"), record(3, 4)], "1 failed gates"
    ),
    "often bad": ([record(1, 6), record(2, 5, outcome=FAILED), record(3, 4)], "2 of 3 releases were good"),
}  # fmt: skip


@pytest.mark.parametrize(("records", "why"), CASES.values(), ids=CASES)
def test_what_was_not_stable_says_why(records, why):
    found = judge_stability({"green": records}, WANTED, NOW)
    assert not found.stable
    assert why in "; ".join(found.reasons)


def test_the_youngest_of_several_droplets_counts():
    assert judge_stability({"green": [record(1, 9)], "green-2": [record(1, 2)]}, WANTED, NOW).days == pytest.approx(2)


def test_a_superseded_release_counts_neither_as_good_nor_as_failed():
    records = [record(1, 6), record(2, 5, outcome=SUPERSEDED), record(3, 4)]
    found = judge_stability({"green": records}, WANTED, NOW)
    assert (found.releases, found.good, found.gate_failures) == (2, 2, 0)
    assert found.reasons == ("it runs for 4.0 days, wanted are 7",)
