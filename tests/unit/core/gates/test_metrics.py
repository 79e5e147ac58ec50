"""What the metric gates ask Prometheus, and which number they take from its answer."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.gates.metrics import ERROR_RATE, LATENCY, REQUESTS, expression, single

pytestmark = pytest.mark.unit


def test_a_template_knows_colour_droplets_stack_and_window():
    template = 'x{c="$colour",d=~"$droplets",s="${stack}"}[$window]'
    assert expression(template, "blue", ["b1", "b2"], "shop", 30) == 'x{c="blue",d=~"b1|b2",s="shop"}[30s]'


@pytest.mark.parametrize(
    ("window", "written"), [(0, "5s"), (4.9, "5s"), (5, "5s"), (5.1, "6s"), (29.2, "30s"), (600, "600s")]
)
def test_a_window_is_never_shorter_than_prometheus_needs(window, written):
    assert expression("[$window]", "blue", ["b"], "shop", window) == f"[{written}]"


@pytest.mark.parametrize("query", ['sum by (le) (x{path=~"a{2,3}$"})', '{job="$unknown"} % 2', 'a{b="5.."} or $'])
def test_what_promql_itself_writes_stays_as_it_is(query):
    assert expression(query, "blue", ["b"], "shop", 30) == query


@given(st.text().filter(lambda text: "$" not in text))
def test_a_query_without_a_name_to_fill_is_asked_word_for_word(query):
    assert expression(query, "blue", ["b"], "shop", 30) == query


def test_the_default_queries_ask_for_one_colour_and_for_nobodys_health_checks():
    for template in (REQUESTS, ERROR_RATE, LATENCY):
        query = expression(template, "green", ["g"], "shop", 30)
        assert query.count("[30s]") == query.count('colour="green",path!~"/health|/metrics"') >= 1
        assert "$" not in query
    assert REQUESTS.startswith("sum(increase(http_requests_total{colour=")
    assert "or vector(0)) / sum(rate(" in ERROR_RATE


@pytest.mark.parametrize(
    ("values", "found"), [((), None), ((0.5,), 0.5), ((0.0,), 0.0), ((math.nan,), None), ((1.0, 1.0), None)]
)
def test_only_one_number_is_an_answer(values, found):
    assert single([({}, value) for value in values]) == found
