"""How the verdicts of gates make one decision."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.gates.verdict import GateResult, Verdict, combine_verdicts, mark_observed

pytestmark = pytest.mark.unit

PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


verdicts = st.sampled_from(Verdict)


readings = st.lists(st.builds(GateResult, st.sampled_from("abc"), verdicts, st.just(""), observed=st.booleans()))


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ((), OPEN),
        ((PASS,), PASS),
        ((PASS, PASS), PASS),
        ((PASS, OPEN), OPEN),
        ((OPEN, FAIL, PASS), FAIL),
    ],
)
def test_one_that_fails_decides_and_one_that_does_not_know_leaves_it_open(said, verdict):
    assert combine_verdicts(GateResult("a", one, "") for one in said) is verdict


@given(readings)
def test_no_mixture_passes_that_holds_a_failure_or_a_doubt(mixture):
    counted = {reading.verdict for reading in mixture if not reading.observed}
    wanted = FAIL if FAIL in counted else PASS if counted == {PASS} else OPEN
    assert combine_verdicts(mixture) is wanted


@given(readings, st.sets(st.sampled_from("abc")))
def test_gates_that_are_only_observed_keep_their_verdict_and_decide_nothing(mixture, names):
    found = mark_observed(mixture, names)
    assert [(r.gate, r.verdict) for r in found] == [(r.gate, r.verdict) for r in mixture]
    assert [r.observed for r in found] == [r.gate in names for r in mixture]
    assert combine_verdicts(found) is combine_verdicts(
        [replace(r, observed=False) for r in mixture if r.gate not in names]
    )
