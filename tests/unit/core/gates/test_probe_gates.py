"""Gates: what each says of probes, traces and dates, and what they decide together."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.gates.probe_gates import health_gate, home_gate, order_gate, tools_gate, workflows_gate
from flows.core.gates.probes import Phase, ProbeResult
from flows.core.gates.trace_gates import Trace, traces_gate
from flows.core.gates.verdict import GateResult, Limits, Verdict, combine_verdicts, mark_observed

pytestmark = pytest.mark.unit

PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
LIMITS = Limits(10, 0.01, 0.01, 5, 2, 0.25, coverage=0.5, trace_errors=1)
verdicts = st.sampled_from(Verdict)
readings = st.lists(st.builds(GateResult, st.sampled_from("abc"), verdicts, st.just(""), observed=st.booleans()))


def probe(passed: bool = True, service: str = "web", phase: Phase = Phase.HEALTH, **more) -> ProbeResult:
    return ProbeResult(service, phase, passed, "200" if passed else "503", **more)


def mcp(*tools: str, service: str = "web", passed: bool = True, expected: tuple[str, ...] = ()) -> ProbeResult:
    return probe(passed, service, Phase.MCP, tools=tools, expected=expected)


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


def test_health_without_a_probe_is_not_known():
    reading = health_gate([probe(phase=Phase.WORKFLOW)])
    assert (reading.verdict, reading.found) == (OPEN, "no service has an x-slipway.health")


def test_health_is_that_of_every_service():
    assert health_gate([probe(), probe(service="db")]).found == "2 of 2"
    reading = health_gate([probe(), probe(False, "db"), probe(False, phase=Phase.WORKFLOW)])
    assert (reading.verdict, reading.found) == (FAIL, "1 of 2; db: 503")
    assert [row["service"] for row in reading.evidence] == ["web", "db"]


def test_workflows_are_a_gate_where_there_are_any():
    assert workflows_gate([probe(False)]) is None
    assert workflows_gate([probe(phase=Phase.WORKFLOW), probe(False)]).verdict is PASS
    assert workflows_gate([probe(False, phase=Phase.WORKFLOW)]).verdict is FAIL


def test_tools_are_a_gate_where_mcp_is_spoken():
    assert tools_gate([probe()], [mcp("add")]) is None


@pytest.mark.parametrize(
    ("mine", "active", "verdict"),
    [
        (mcp("add"), [], PASS),
        (mcp("add", "sum"), [mcp("add")], PASS),
        (mcp("add"), [mcp("add", "sum", "div")], FAIL),
        (mcp("add"), [mcp("add", "sum", passed=False)], PASS),
        (mcp("add"), [mcp("sum", service="other")], PASS),
        (mcp("add"), [replace(mcp("sum"), phase=Phase.HEALTH)], PASS),
        (mcp("add", expected=("add",)), [mcp("add", "sum")], PASS),
        (mcp("sum", expected=("add",), passed=False), [mcp("add")], FAIL),
        (mcp(passed=False), [mcp("add")], FAIL),
    ],
    ids=[
        "nothing to compare with", "one more", "fewer", "the active one is sick", "of another service",
        "no mcp there", "its own list allows it", "its own list does not", "it does not answer",
    ],
)  # fmt: skip
def test_tools_are_compared_with_the_stacks_own_list_or_the_active_colour(mine, active, verdict):
    assert tools_gate([mine], active).verdict is verdict


def test_tools_that_are_gone_are_named_service_by_service():
    mine = [mcp("add"), mcp(service="db"), mcp("x", service="own", expected=("x",))]
    active = [mcp("add", "sum", "div"), mcp("get", service="db"), mcp("x", "y", service="own")]
    assert tools_gate(mine, active).found == "gone since the active release: web: div, sum; db: get"


def test_the_data_home_fails_when_it_does_not_answer_and_is_not_known_without_a_probe():
    assert home_gate([probe()], "").verdict is PASS
    assert home_gate([probe(False)], "").verdict is FAIL
    assert (home_gate([probe()], "no route").verdict, home_gate([probe()], "no route").found) == (FAIL, "no route")
    assert home_gate([], "").verdict is OPEN


@pytest.mark.parametrize(
    ("candidate", "active", "verdict"),
    [
        ("2026-05-04T12:00:01", "2026-05-04T12:00:00", PASS),
        ("2026-05-04T12:00:00", "2026-05-04T12:00:00", PASS),
        ("2026-05-04T11:59:59", "2026-05-04T12:00:00", OPEN),
        ("2026-05-04T12:00:00", None, PASS),
        ("2026-05-04T12:00:00", "", PASS),
        (None, "2026-05-04T12:00:00", OPEN),
        ("", "2026-05-04T12:00:00", OPEN),
    ],
)
def test_going_back_to_an_older_release_is_for_a_person_to_decide(candidate, active, verdict):
    reading = order_gate(candidate, active, "v2 beside v1")
    assert (reading.verdict, reading.found.startswith("v2 beside v1: ")) == (verdict, True)


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
