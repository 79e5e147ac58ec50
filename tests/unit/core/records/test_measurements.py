"""What runs saw becomes numbers of the record; what they did not see is unknown, never zero."""

import pytest

from flows.core.gates.probes import Phase, ProbeResult
from flows.core.gates.verdict import GateResult, Verdict
from flows.core.records.measurements import BuildTimes, Measurements, Pull
from flows.core.records.measuring import agents_traced, build_times, gate_numbers, probe_times, pull_times, turn_to
from flows.core.records.record import Record
from tests.support.builders import image, pinned, release

pytestmark = pytest.mark.unit

WEB, API = pinned("web", "a"), pinned("api", "b")
BEFORE = release(services={"web": WEB}, images={WEB: image(("base", 100), ("web", 20))})
NEW_WEB = pinned("web", "c")
AFTER = release(
    services={"web": NEW_WEB, "api": API},
    images={NEW_WEB: image(("base", 100), ("web2", 7)), API: image(("base", 100), ("tools", 40))},
)


def test_what_the_release_before_had_counts_as_found_and_not_as_pushed():
    assert build_times(AFTER, {NEW_WEB, API}, BEFORE, {"build images": 2.5, "push images": 1.25}) == BuildTimes(
        build_seconds=2.5, push_seconds=1.25, images=2, pushed=2, pushed_bytes=47, layers_found=1
    )


def test_an_image_that_is_the_one_before_was_not_pushed():
    assert build_times(BEFORE, {WEB}, BEFORE, {}) == BuildTimes(images=1, pushed=0, pushed_bytes=0, layers_found=2)


def test_the_first_release_pushes_every_layer_once():
    assert build_times(AFTER, {NEW_WEB, API}, None, {}).pushed_bytes == 147


def test_each_layer_is_counted_at_the_first_image_that_brings_it():
    assert pull_times(AFTER, None, {NEW_WEB: 1.5, API: None}, ahead={API}) == (
        Pull(image=API, registry="registry.example.com", seconds=None, bytes=140, ahead=True),
        Pull(image=NEW_WEB, registry="registry.example.com", seconds=1.5, bytes=7),
    )


def test_what_the_droplet_ran_before_is_not_pulled_again():
    assert [one.bytes for one in pull_times(AFTER, BEFORE, {NEW_WEB: 1.0})] == [7]


def test_an_image_of_another_release_is_none_of_its_pulls():
    assert pull_times(AFTER, None, {pinned("db", "d"): 1.0}) == ()


def probe(service: str, phase: Phase, passed: bool, **more) -> ProbeResult:
    return ProbeResult(service, phase, passed, "words", 0.12345, **more)


def test_a_probe_that_could_not_be_made_is_inconclusive():
    outcomes = [
        probe("web", Phase.HEALTH, True),
        probe("web", Phase.MCP, False),
        probe("web", Phase.TRACE, False, known=False),
    ]
    assert [(one.phase, one.verdict, one.seconds) for one in probe_times(outcomes)] == [
        ("health", "pass", 0.123),
        ("MCP tools", "fail", 0.123),
        ("trace", "inconclusive", 0.123),
    ]


@pytest.mark.parametrize(
    ("outcomes", "agents"),
    [
        ([probe("a", Phase.WORKFLOW, True), probe("a", Phase.TRACE, True)], {"a": True}),
        ([probe("a", Phase.WORKFLOW, True), probe("a", Phase.TRACE, False)], {"a": False}),
        ([probe("a", Phase.WORKFLOW, True), probe("a", Phase.TRACE, False, known=False)], {"a": None}),
        ([probe("a", Phase.WORKFLOW, True)], {"a": None}),
        ([probe("a", Phase.WORKFLOW, True, traced=False)], {}),
        ([probe("a", Phase.HEALTH, True)], {}),
    ],
)
def test_coverage_of_an_agent_is_unknown_where_nobody_could_look(outcomes, agents):
    assert agents_traced(outcomes) == agents


def test_a_gate_keeps_its_numbers_and_its_query():
    reading = GateResult("error rate", Verdict.FAIL, "0.2", "at most 0.01", "rate(x)", observed=True)
    [kept] = gate_numbers([reading])
    assert (kept.verdict, kept.found, kept.wanted, kept.query, kept.observed) == (
        "fail", "0.2", "at most 0.01", "rate(x)", True,
    )  # fmt: skip


def test_a_turn_tells_when_it_was_decided_in_utc_and_knows_of_no_lost_request():
    turn = turn_to("blue", "green", 1_700_000_000.0, turned=0.01, seen=0.2, watched=30.0, approved_by="")
    assert (turn.at, turn.seen_seconds, turn.lost) == ("2023-11-14T22:13:20+00:00", 0.2, None)


RECORD = {"number": 1, "stack": "shop", "tag": "v1", "name": "v1-0", "began": "2026-05-04T12:00:00+00:00"}


def test_a_record_of_before_is_read_and_says_nothing_it_did_not_measure():
    record = Record.model_validate(RECORD)
    assert record.measured is None
    assert b"measured" not in record.document()


def test_a_record_keeps_what_was_measured():
    measured = Measurements(steps={"pull images": 1.5}, lock_seconds=0.1, agents={"a": None})
    record = Record(**RECORD, measured=measured)
    assert Record.model_validate_json(record.document()).measured == measured


def test_a_later_run_adds_its_seconds_and_leaves_what_it_did_not_measure():
    first = Measurements(steps={"probe health": 1.0, "pull images": 2.0}, lock_seconds=0.5)
    later = Measurements(steps={"probe health": 0.5}, agents={"a": True})
    both = first.merged(later)
    assert both.steps == {"probe health": 1.5, "pull images": 2.0}
    assert (both.lock_seconds, both.agents) == (0.5, {"a": True})
