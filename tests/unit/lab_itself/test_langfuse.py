"""The lab's Langfuse stand-in behaves as a client of the real one may expect, and refuses what it does not know."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.langfuse_in_process import at, export, standin, trace

pytestmark = pytest.mark.unit
OBSERVATIONS = "/api/public/v2/observations"
METRICS = "/api/public/v2/metrics"
TRACES = "/api/public/otel/v1/traces"


@pytest.fixture
def http():
    with standin() as client:
        yield client


def names(http, **query):
    answer = http.get(OBSERVATIONS, params={"limit": 100, **query})
    assert answer.status_code == 200, answer.text
    return [observation["name"] for observation in answer.json()["data"]]


def conditions(*found):
    return json.dumps([dict(zip(("type", "column", "operator", "value", "key"), each, strict=False)) for each in found])


@pytest.mark.parametrize("path", [OBSERVATIONS, METRICS])
@pytest.mark.parametrize("auth", [None, ("pk-lf-test", "wrong"), ("", "")])
def test_nobody_reads_without_the_keys(http, path, auth):
    http.auth = auth
    assert http.get(path).status_code == 401


@pytest.mark.parametrize("content_type", ["application/x-protobuf", "application/json"])
@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_a_trace_arrives_in_every_form_that_otlp_has(http, content_type, encoding):
    sent = trace("work", {"langfuse.release": "r1"})
    assert export(http, sent, content_type, encoding).json() == {}
    (found,) = http.get(OBSERVATIONS, params={"fields": "basic,trace_context"}).json()["data"]
    assert (found["id"], found["traceId"]) == ("00f067aa0ba902b7", "4bf92f3577b34da6a3ce929d0e0e4736")
    assert (found["name"], found["release"], found["isRootObservation"]) == ("work", "r1", True)


@pytest.mark.parametrize(
    ("body", "content_type", "encoding"),
    [
        (b"{", "application/json", ""),
        (b"[1]", "application/json", ""),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{}]}]}]}', "application/json", ""),
        (b"\xff\xff", "application/x-protobuf", ""),
        (b"no gzip", "application/x-protobuf", "gzip"),
        (b"", "application/x-protobuf", "gzip"),
        (gzip.compress(b"x" * 999, mtime=0)[:-4], "application/x-protobuf", "gzip"),
        (b"", "text/plain", ""),
    ],
)
def test_what_is_no_trace_export_is_refused(http, body, content_type, encoding):
    headers = {"content-type": content_type, "content-encoding": encoding}
    assert http.post(TRACES, content=body, headers=headers).status_code == 400
    assert names(http) == []


def test_a_body_that_unpacks_to_more_than_20_mb_is_refused(http):
    headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
    assert http.post(TRACES, content=gzip.compress(bytes(21_000_000)), headers=headers).status_code == 400


def test_what_was_sent_can_be_read_a_moment_later_not_at_once():
    with standin(delay=60) as http:
        export(http, trace("work"))
        assert names(http) == []


def test_a_span_that_is_sent_twice_is_one_observation(http):
    export(http, trace("work"))
    export(http, trace("work again"))
    assert names(http) == ["work again"]


def test_the_store_is_bounded_and_the_oldest_goes():
    with standin(limit=2) as http:
        for number in range(3):
            export(http, trace(f"span {number}", span=number, start=at(number)))
        assert names(http) == ["span 2", "span 1"]


def test_pages_follow_each_other_without_gap_or_repetition(http):
    for number in range(7):
        export(http, trace(f"span {number}", span=number, start=at(number % 3)))
    seen, cursor = [], None
    while True:
        page = http.get(OBSERVATIONS, params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        seen += [observation["name"] for observation in page["data"]]
        if not (cursor := page["meta"].get("cursor")):
            break
    assert sorted(seen) == [f"span {number}" for number in range(7)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"name": "slow"}, ["slow"]),
        ({"traceId": "4bf92f3577b34da6a3ce929d0e0e4736"}, ["broken", "slow", "quick"]),
        ({"traceId": "0" * 32}, []),
        ({"level": "ERROR"}, ["broken"]),
        ({"environment": ["production", "other"]}, ["slow"]),
        ({"isRootObservation": "false"}, ["broken"]),
        ({"parentObservationId": ""}, ["slow", "quick"]),
        ({"fromStartTime": "2026-01-01T00:01:00Z"}, ["broken", "slow"]),
        ({"toStartTime": "2026-01-01T00:01:00Z"}, ["quick"]),
        ({"filter": conditions(("string", "name", "starts with", "s"))}, ["slow"]),
        ({"filter": conditions(("stringOptions", "name", "any of", ["slow", "quick"]))}, ["slow", "quick"]),
        ({"filter": conditions(("number", "latency", ">=", 2))}, ["slow"]),
        ({"filter": conditions(("datetime", "startTime", ">", "2026-01-01T00:01:00Z"))}, ["broken"]),
        ({"filter": conditions(("boolean", "isRootObservation", "=", True))}, ["slow", "quick"]),
        ({"filter": conditions(("null", "parentObservationId", "is not null"))}, ["broken"]),
        ({"filter": conditions(("arrayOptions", "traceTags", "any of", ["probe"]))}, ["slow"]),
        (
            {"filter": conditions(("stringObject", "metadata", "=", "cicd", "resourceAttributes.service.name"))},
            ["slow"],
        ),
        ({"filter": conditions(("string", "level", "=", "ERROR")), "name": "slow"}, ["broken"]),
    ],
)
def test_observations_are_found_by(http, query, found):
    export(http, trace("quick", span=1, start=at(0)))
    export(
        http,
        trace("slow", {"langfuse.environment": "production", "langfuse.trace.tags": ["probe"]}, span=2,
              start=at(60), seconds=2.5, service="cicd"),
    )  # fmt: skip
    export(http, trace("broken", span=3, parent=2, start=at(120), failed=True))
    assert names(http, **query) == found


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "{"},
        {"filter": "{}"},
        {"filter": conditions(("string", "noSuchColumn", "=", "x"))},
        {"filter": conditions(("string", "name", ">", "x"))},
        {"filter": conditions(("string", "name", "="))},
        {"filter": conditions(("stringObject", "metadata", "=", "x"))},
        {"fromStartTime": "yesterday"},
        {"limit": "1001"},
        {"limit": "0"},
        {"cursor": "bm8="},
        {"fields": "core,nothing"},
        {"parseIoAsJson": "true"},
    ],
)
def test_a_question_it_does_not_understand_is_refused(http, query):
    assert http.get(OBSERVATIONS, params=query).status_code == 400


def test_long_metadata_is_cut_unless_asked_for_whole(http):
    export(http, trace("work", {"langfuse.observation.metadata.log": "x" * 500}))
    for expand, length in ((None, 200), ("log", 500)):
        params = {"fields": "metadata"} | ({"expandMetadata": expand} if expand else {})
        (found,) = http.get(OBSERVATIONS, params=params).json()["data"]
        assert len(found["metadata"]["log"]) == length


def test_a_child_is_known_by_the_name_of_its_trace(http):
    export(http, trace("child", span=2, parent=1))
    export(http, trace("root", {"langfuse.trace.name": "the whole"}, span=1))
    found = http.get(OBSERVATIONS, params={"fields": "basic,trace_context"}).json()["data"]
    assert {observation["traceName"] for observation in found} == {"the whole"}


def ask(http, **query):
    now = datetime.now(UTC)
    times = {"fromTimestamp": "2026-01-01T00:00:00Z", "toTimestamp": (now + timedelta(days=1)).isoformat()}
    whole = {"view": "observations", "metrics": [{"measure": "count", "aggregation": "count"}], **times, **query}
    return http.get(METRICS, params={"query": json.dumps(whole)})


def test_metrics_are_grouped_measured_and_ordered(http):
    for number, (seconds, failed) in enumerate([(1, False), (2, False), (3, True)]):
        export(http, trace("work", span=number, start=at(number), seconds=seconds, failed=failed))
    rows = ask(
        http,
        dimensions=[{"field": "level"}],
        metrics=[{"measure": "count", "aggregation": "count"}, {"measure": "latency", "aggregation": "p95"}],
        orderBy=[{"field": "count_count", "direction": "desc"}],
    ).json()["data"]
    assert rows == [
        {"level": "DEFAULT", "count_count": 2, "p95_latency": 2000.0},
        {"level": "ERROR", "count_count": 1, "p95_latency": 3000.0},
    ]


def test_no_observations_are_a_count_of_none_and_no_latency(http):
    both = [{"measure": "count", "aggregation": "count"}, {"measure": "latency", "aggregation": "avg"}]
    assert ask(http, metrics=both).json()["data"] == [{"count_count": 0, "avg_latency": None}]


def test_metrics_by_time_have_a_row_for_each_step(http):
    for number in range(3):
        export(http, trace("work", span=number, start=at(40 * number)))
    rows = ask(http, timeDimension={"granularity": "minute"}).json()["data"]
    assert [(row["time_dimension"], row["count_count"]) for row in rows] == [
        ("2026-01-01T00:01:00.000Z", 1),
        ("2026-01-01T00:00:00.000Z", 2),
    ]


@pytest.mark.parametrize(
    "query",
    [
        {"view": "traces"},
        {"metrics": []},
        {"metrics": [{"measure": "happiness", "aggregation": "avg"}]},
        {"metrics": [{"measure": "count", "aggregation": "guess"}]},
        {"dimensions": [{"field": "traceId"}]},
        {"timeDimension": {"granularity": "moment"}},
        {"toTimestamp": "2025-01-01T00:00:00Z"},
        {"fromTimestamp": None},
        {"config": {"row_limit": 0}},
        {"orderBy": [{"field": "nothing", "direction": "asc"}]},
    ],
)
def test_a_measurement_it_does_not_know_is_refused_and_not_made_up(http, query):
    assert ask(http, **query).status_code == 400
