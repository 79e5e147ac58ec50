"""How the answer of a probe is judged."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.gates.probes import (
    Phase,
    ProbeResult,
    all_passed,
    judge_health,
    judge_tools,
    judge_trace,
    judge_workflow,
    trace_result,
    traced_services,
    traceparent,
)
from flows.core.stack.extension import McpProbe, WorkflowProbe

pytestmark = pytest.mark.unit

RUN = WorkflowProbe(post="/run", expect="task.id")


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, '{"status": "ok"}', (True, "200 ok")),
        (204, "", (True, "204")),
        (200, "fine", (True, "200")),
        (200, "[]", (True, "200")),
        (503, '{"status": "no db"}', (False, '503 no db: {"status": "no db"}')),
        (301, "", (False, "301: ")),
        (500, "a\n  b", (False, "500: a b")),
    ],
)
def test_any_2xx_is_health(status, body, verdict):
    assert judge_health(status, body) == verdict


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, '{"task": {"id": "t1"}}', (True, 'POST /run: task.id = "t1"')),
        (201, '{"task": {"id": 0}}', (True, "POST /run: task.id = 0")),
        (200, '{"task": {"id": false}}', (True, "POST /run: task.id = false")),
        (200, '{"task": {"id": null}}', (False, "POST /run: 200, but `task.id` is missing")),
        (200, '{"task": {"id": ""}}', (False, "POST /run: 200, but `task.id` is empty")),
        (200, '{"task": {"id": []}}', (False, "POST /run: 200, but `task.id` is empty")),
        (200, '{"task": {"id": {}}}', (False, "POST /run: 200, but `task.id` is empty")),
        (200, '{"task": "id"}', (False, "POST /run: 200, but `task.id` is missing")),
        (200, "[]", (False, "POST /run: 200, but `task.id` is missing")),
        (200, "null", (False, "POST /run: 200, but no JSON: null")),
        (200, "<html>", (False, "POST /run: 200, but no JSON: <html>")),
        (502, '{"task": {"id": "t1"}}', (False, 'POST /run: 502: {"task": {"id": "t1"}}')),
        (302, "", (False, "POST /run: 302: ")),
    ],
)
def test_a_workflow_passes_with_a_value_where_one_is_expected(status, body, verdict):
    assert judge_workflow(RUN, status, body) == verdict


def test_a_long_answer_is_cut():
    words = judge_workflow(RUN, 500, "x" * 1000)[1]
    assert len(words) < 200
    assert words.endswith("x…")


@pytest.mark.parametrize(
    ("probe", "tools", "verdict"),
    [
        (McpProbe(), ["b", "a"], (True, "2 tools: a, b")),
        (McpProbe(), list("fedcba"), (True, "6 tools: a, b, c, d, …")),
        (McpProbe(), [], (False, "no tools; at least 1 are expected")),
        (McpProbe(minimum=0), [], (True, "no tools")),
        (McpProbe(minimum=3), ["a", "b"], (False, "2 tools: a, b; at least 3 are expected")),
        (McpProbe(tools=("a", "x")), ["a"], (False, "1 tools: a; missing: x")),
    ],
)
def test_enough_tools_and_every_expected_one_pass(probe, tools, verdict):
    assert judge_tools(probe, tools) == verdict


def test_no_trace_is_no_pass():
    assert judge_trace(3, 1.5) == (True, "3 observations")
    assert judge_trace(0, 30.2) == (False, "no observation of this trace after 30 s")


def workflow(service: str = "web", **more) -> ProbeResult:
    return ProbeResult(service, Phase.WORKFLOW, True, "", trace_id="t", **more)


@pytest.mark.parametrize(
    ("expected", "count", "trouble", "mark"),
    [
        (True, 1, "", "✓"),
        (True, 0, "", "✗"),
        (False, 1, "", "✓"),
        (False, 0, "", "?"),
        (True, 0, "Langfuse does not answer", "?"),
        (False, 0, "Langfuse does not answer", "?"),
    ],
)
def test_a_trace_that_does_not_come_is_a_failure_only_where_one_is_expected(expected, count, trouble, mark):
    found = trace_result(workflow(trace_expected=expected), count, 2.5, trouble)
    assert (found.mark, found.service, found.phase, found.seconds) == (mark, "web", Phase.TRACE, 2.5)
    assert all_passed([found]) is (mark != "✗")


def test_a_missing_trace_says_why_it_is_not_a_failure():
    words = trace_result(workflow(trace_expected=False), 0, 30).detail
    assert "no observation of this trace after 30 s" in words
    assert "no `traced: true`" in words
    assert trace_result(workflow(), 0, 30, "503").detail == "503"


def test_a_release_is_traced_where_traces_came_and_where_they_came_before_and_nobody_could_look():
    results = [
        workflow("came"), workflow("gone"), workflow("unasked"), workflow("new"), workflow("opted-out", traced=False),
        trace_result(workflow("came"), 2, 1),
        trace_result(workflow("gone", trace_expected=False), 0, 1),
        trace_result(workflow("unasked"), 0, 1, "503"),
    ]  # fmt: skip
    assert traced_services(results, {"unasked", "opted-out", "left-the-stack"}) == ("came", "unasked")
    assert traced_services(results, ()) == ("came",)


bodies = st.text() | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["task", "id", "status"]), inner),
).map(json.dumps)


@given(st.integers(100, 599), bodies)
def test_any_answer_is_judged_and_none_passes_without_a_2xx(status, body):
    for passed, words in (judge_health(status, body), judge_workflow(RUN, status, body)):
        assert words
        assert not passed or 200 <= status < 300


def test_an_answer_that_is_nested_without_end_is_no_json():
    assert judge_workflow(RUN, 200, "[" * 100_000)[0] is False


def test_all_have_passed_when_none_has_failed():
    good, bad = (ProbeResult("web", Phase.HEALTH, passed, "") for passed in (True, False))
    assert all_passed([])
    assert all_passed([good, good])
    assert not all_passed([good, bad])


def test_a_trace_is_started_by_a_header_of_the_w3c_form():
    assert traceparent("0af7651916cd43dd8448eb211c80319c") == "00-0af7651916cd43dd8448eb211c80319c-8448eb211c80319c-01"
