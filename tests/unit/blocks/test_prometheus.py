"""Prometheus: what is asked and how its answers are read."""

import math

import pytest

from blocks import Prometheus
from blocks.errors import LoginRefused, ProviderFailed, Unreachable
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit


def vector(*samples) -> Says:
    result = [{"metric": labels, "value": [1_700_000_000.1, value]} for labels, value in samples]
    return Says(200, {"status": "success", "data": {"resultType": "vector", "result": result}})


def asking(says: Says, **login):
    """What `sum(up) or vector(0)` gives, and the one request that was made for it."""
    with serving(lambda _asked: says) as http:
        try:
            found = Prometheus(url=f"{http.url}/", **login).query("sum(up) or vector(0)")
        finally:
            [asked] = http.asked
            assert (asked.method, asked.path) == ("GET", "/api/v1/query")
            assert asked.query == {"query": ["sum(up) or vector(0)"]}
    return found, asked


def test_samples_are_read_with_their_labels():
    found, asked = asking(vector(({"job": "a"}, "1"), ({}, "0.25")))
    assert found == [({"job": "a"}, 1.0), ({}, 0.25)]
    assert "authorization" not in asked.headers


def test_no_data_is_an_empty_list():
    assert asking(vector())[0] == []


def test_what_is_no_number_stays_no_number():
    [(_, value), (_, infinite)] = asking(vector(({}, "NaN"), ({}, "+Inf")))[0]
    assert math.isnan(value)
    assert infinite == math.inf


def test_a_login_is_sent_where_there_is_one():
    asked = asking(vector(), username="me", password="word")[1]
    assert asked.headers["authorization"] == "Basic bWU6d29yZA=="


FAILURES = {
    "a bad query": (Says(400, {"status": "error", "error": "parse error"}), ProviderFailed, "400: .*parse error"),
    "no Prometheus": (Says(200, b"<html>"), ProviderFailed, "200: <html>"),
    "a list": (Says(200, []), ProviderFailed, "200: "),
    "a scalar": (
        Says(200, {"data": {"resultType": "scalar", "result": [1.0, "2"]}}),
        ProviderFailed,
        "200: ",
    ),
    "a range": (Says(200, {"data": {"result": [{"metric": {}, "values": []}]}}), ProviderFailed, "200: "),
    "no login": (Says(401), LoginRefused, "refuses our login"),
    "no right": (Says(403), LoginRefused, "refuses our login"),
}


@pytest.mark.parametrize(("says", "kind", "words"), FAILURES.values(), ids=FAILURES)
def test_an_answer_that_is_no_vector_is_an_error_and_never_a_number(says, kind, words):
    with pytest.raises(kind, match=words):
        asking(says, username="me", password="sentinel")


def test_a_server_that_is_not_there_is_unreachable():
    with pytest.raises(Unreachable, match=r"Prometheus at http://127\.0\.0\.1:1 cannot be reached"):
        Prometheus(url="http://127.0.0.1:1").query("up")


def test_a_server_says_how_many_targets_it_has():
    with serving(lambda _asked: vector(({"job": "a"}, "1"))) as http:
        assert Prometheus(url=http.url).reach() == f"Prometheus at {http.url}: 1 targets"


def matrix(*series) -> Says:
    result = [{"metric": labels, "values": list(samples)} for labels, samples in series]
    return Says(200, {"status": "success", "data": {"resultType": "matrix", "result": result}})


def asking_range(says: Says):
    with serving(lambda _asked: says) as http:
        found = Prometheus(url=http.url).server().query_range("up", 1_700_000_000, 1_700_000_600, 300)
    return found, http.asked


def test_a_range_is_asked_with_its_ends_and_step_and_read_sample_by_sample():
    found, [asked] = asking_range(matrix(({"job": "a"}, [[1_700_000_000, "1"], [1_700_000_300.5, "0.5"]])))
    assert found == [({"job": "a"}, [(1_700_000_000.0, 1.0), (1_700_000_300.5, 0.5)])]
    assert (asked.method, asked.path) == ("GET", "/api/v1/query_range")
    assert asked.query == {
        "query": ["up"], "start": ["1700000000.000"], "end": ["1700000600.000"], "step": ["300"]
    }  # fmt: skip


@pytest.mark.parametrize(
    "says",
    [vector(({}, "1")), matrix(({}, [[1, "2", 3]])), matrix(({}, [["x", "2"]])), matrix(({}, [[1, "1"]] * 11_001)),
     matrix(*[({}, [])] * 1001), Says(200, {"data": {"result": [{"metric": [], "values": []}]}})],
    ids=["a vector", "three values", "a word", "too many samples", "too many series", "no labels"],
)  # fmt: skip
def test_an_answer_that_is_no_range_or_larger_than_any_is_an_error(says):
    with pytest.raises(ProviderFailed):
        asking_range(says)
