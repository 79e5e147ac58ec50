"""The gates over probes: health, workflows, tools, the data home, and the order of releases."""

from dataclasses import replace

import pytest

from flows.core.gates.probe_gates import health_gate, home_gate, order_gate, tools_gate, workflows_gate
from flows.core.gates.probes import Phase, ProbeResult
from flows.core.gates.verdict import Verdict

pytestmark = pytest.mark.unit

PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def probe(passed: bool = True, service: str = "web", phase: Phase = Phase.HEALTH, **more) -> ProbeResult:
    return ProbeResult(service, phase, passed, "200" if passed else "503", **more)


def mcp(*tools: str, service: str = "web", passed: bool = True, expected: tuple[str, ...] = ()) -> ProbeResult:
    return probe(passed, service, Phase.MCP, tools=tools, expected=expected)


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


def test_each_replica_must_offer_what_the_active_colour_offers():
    replicas = [replace(mcp(*tools), container=f"web-{n}") for n, tools in enumerate((("add", "sum"), ("add",)), 1)]
    active = [replace(mcp("add"), container="web-1"), replace(mcp("sum"), container="web-2")]
    reading = tools_gate(replicas, active)
    assert (reading.verdict, reading.found) == (FAIL, "gone since the active release: web-2: sum")


def test_a_sick_replica_is_named():
    reading = health_gate([replace(probe(), container="web-1"), replace(probe(False), container="web-2")])
    assert reading.found == "1 of 2; web-2: 503"
    assert [row["service"] for row in reading.evidence] == ["web-1", "web-2"]


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
