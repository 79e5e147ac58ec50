"""The gate over Langfuse: which agents left a trace, and what went wrong in it."""

from dataclasses import replace

import pytest

from flows.core.gates.trace_gates import Trace, traces_gate
from flows.core.gates.verdict import Limits, Verdict

pytestmark = pytest.mark.unit

PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


LIMITS = Limits(10, 0.01, 0.01, 5, 2, 0.25, coverage=0.5, trace_errors=1)


def traces(**found: Trace) -> list[Verdict]:
    return [reading.verdict for reading in traces_gate(found, LIMITS, "GET x")]


SEEN, UNSEEN, QUIET = Trace("t", 3), Trace("t"), Trace("t", expected=False)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, [OPEN]),
        ({"a": SEEN, "b": SEEN}, [PASS, PASS]),
        ({"a": SEEN, "b": UNSEEN}, [PASS, PASS]),
        ({"a": SEEN, "b": UNSEEN, "c": UNSEEN}, [FAIL, PASS]),
        ({"a": UNSEEN}, [FAIL, OPEN]),
        ({"a": Trace("t", 3, ("x",))}, [PASS, PASS]),
        ({"a": Trace("t", 3, ("x",)), "b": Trace("t", 3, ("y",))}, [PASS, FAIL]),
        ({"a": SEEN, "b": Trace("t", trouble="Langfuse does not answer")}, [OPEN, OPEN]),
        ({"a": SEEN, "b": QUIET, "c": QUIET}, [PASS, PASS]),
        ({"a": UNSEEN, "b": QUIET}, [FAIL, OPEN]),
        ({"a": replace(SEEN, expected=False), "b": UNSEEN, "c": UNSEEN}, [FAIL, PASS]),
        ({"a": QUIET}, [OPEN]),
    ],
    ids=[
        "none", "all", "at the edge", "too few", "nothing", "errors at the edge", "too many errors", "no provider",
        "some that nobody expects", "an expected one is missing", "an unexpected one counts when it comes",
        "none expected and none there",
    ],
)  # fmt: skip
def test_traces_are_covered_and_free_of_errors(found, said):
    assert traces(**found) == said


def test_traces_show_who_is_missing_and_what_went_wrong():
    covered, quiet = traces_gate({"b": Trace("2", 1, ("call",)), "a": Trace("1")}, LIMITS, "GET x")
    assert (covered.found, quiet.found) == ("1 of 2 agents; without a trace: a", "1: b: call")
    assert (covered.query, quiet.query) == ("GET x", "GET x")
    assert [row["trace"] for row in covered.evidence] == ["1", "2"]
    assert traces_gate({"a": Trace("1", trouble="503")}, LIMITS, "")[0].found == "503"
    covered, _ = traces_gate({"c": QUIET, "b": SEEN, "a": QUIET}, LIMITS, "")
    assert covered.found == "1 of 1 agents; none came, and none was expected: a, c"
    assert [row["expected"] for row in covered.evidence] == [False, True, False]
    (open_one,) = traces_gate({"a": QUIET}, LIMITS, "")
    assert open_one.found == "no workflow probe is traced, and none is expected to be: a"
