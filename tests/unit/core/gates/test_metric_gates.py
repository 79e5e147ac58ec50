"""The metric gates: thresholds at their edge, what is no number, and the active colour beside."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.gates.metric_gates import error_rate_gate, latency_gate
from flows.core.gates.metrics import Measured, Value
from flows.core.gates.verdict import GateResult, Limits, Verdict

pytestmark = pytest.mark.unit

PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
LIMITS = Limits(
    requests=10, error_rate=0.05, error_margin=0.01, latency=5, latency_ratio=2, latency_slack=0.25, coverage=1,
    trace_errors=0,
)  # fmt: skip
NONE = (math.nan, math.inf, -math.inf)
numbers = st.none() | st.floats()
below = math.nextafter


def measured(
    rate: float | None = 0.0, latency: float | None = 0.1, requests: float | None = 10, trouble=""
) -> Measured:
    return Measured(Value("r", requests), Value("e", rate, trouble), Value("l", latency, trouble))


def error_rate(value: float | None, active: Measured | None = None, **more) -> GateResult:
    return error_rate_gate(measured(rate=value, **more), active, LIMITS)


def latency(value: float | None, active: Measured | None = None, **more) -> GateResult:
    return latency_gate(measured(latency=value, **more), active, LIMITS)


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(0, PASS), (0.05, PASS), (below(0.05, 1), FAIL), (1, FAIL), (below(1, 2), OPEN), (-1e-9, OPEN), (None, OPEN)]
    + [(value, OPEN) for value in NONE],
)
def test_the_error_rate_is_a_share_and_at_most_what_is_allowed(value, verdict):
    assert error_rate(value).verdict is verdict


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(0, PASS), (5, PASS), (below(5, 6), FAIL), (-1e-9, OPEN), (None, OPEN)] + [(value, OPEN) for value in NONE],
)
def test_the_latency_is_at_most_what_is_allowed(value, verdict):
    assert latency(value).verdict is verdict


@pytest.mark.parametrize(
    ("requests", "verdict"), [(10, PASS), (9.99, OPEN), (0, OPEN), (-1, OPEN), (None, OPEN), (math.nan, OPEN)]
)
@pytest.mark.parametrize("gate", [error_rate, latency])
def test_too_few_requests_say_nothing(gate, requests, verdict):
    assert gate(0, requests=requests).verdict is verdict


@pytest.mark.parametrize("gate", [error_rate, latency])
def test_too_few_requests_say_nothing_about_a_failure_either(gate):
    reading = gate(1, requests=3)
    assert reading.verdict is OPEN
    assert reading.found.endswith("of 3 requests, which are too few")


@pytest.mark.parametrize("gate", [error_rate, latency])
def test_a_provider_in_trouble_is_not_an_application_that_failed(gate):
    reading = gate(None, trouble="Prometheus does not answer")
    assert (reading.verdict, reading.found) == (OPEN, "Prometheus does not answer")


@pytest.mark.parametrize("gate", [error_rate_gate, latency_gate])
def test_trouble_with_the_count_of_requests_is_trouble_too(gate):
    mine = Measured(Value("r", trouble="503"), Value("e", 0), Value("l", 0))
    assert (gate(mine, None, LIMITS).verdict, gate(mine, None, LIMITS).found) == (OPEN, "503")


@given(numbers, numbers, numbers, numbers)
def test_whatever_prometheus_says_a_pass_has_enough_requests_and_a_number_within_the_limit(value, count, other, beside):
    for gate, most in ((error_rate, LIMITS.error_rate), (latency, LIMITS.latency)):
        reading = gate(value, measured(other, other, beside), requests=count)
        if reading.verdict is PASS:
            assert 0 <= value <= most
            assert 10 <= count < math.inf


@pytest.mark.parametrize(
    ("value", "active", "verdict"),
    [
        (0.02, 0.01, PASS),
        (below(0.02, 1), 0.01, FAIL),
        (0.05, 0.5, PASS),
        (0.06, 0.5, FAIL),
        (0.03, None, PASS),
        (0.03, math.nan, PASS),
        (0.03, -1, PASS),
    ],
    ids=["at the margin", "above it", "sick active", "sick both", "no data", "no number", "no share"],
)
def test_the_error_rate_is_held_against_the_active_colours_and_never_allowed_more_for_it(value, active, verdict):
    assert error_rate(value, measured(rate=active)).verdict is verdict


@pytest.mark.parametrize(
    ("value", "active", "verdict"),
    [
        (2, 1, PASS),
        (below(2, 3), 1, FAIL),
        (0.26, 0.01, PASS),
        (0.27, 0.01, FAIL),
        (5, 60, PASS),
        (6, 60, FAIL),
        (4, None, PASS),
        (4, math.inf, PASS),
        (4, -9, PASS),
    ],
    ids=["ratio", "above it", "slack", "above slack", "sick active", "sick both", "no data", "no number", "negative"],
)
def test_the_latency_is_held_against_the_active_colours_and_never_allowed_more_for_it(value, active, verdict):
    assert latency(value, measured(latency=active)).verdict is verdict


@pytest.mark.parametrize("requests", [9, None, math.nan])
def test_an_active_colour_that_nobody_asked_is_not_compared_with(requests):
    idle = measured(0, 0.001, requests)
    assert (error_rate(0.05, idle).verdict, latency(5, idle).verdict) == (PASS, PASS)
    assert "active" not in error_rate(0.05, idle).wanted + latency(5, idle).wanted


def test_a_reading_shows_its_numbers_its_thresholds_and_its_queries():
    reading = error_rate(0.02, measured(rate=0.001), requests=57)
    assert (reading.found, reading.query) == ("2.00% of 57 requests", "r\ne")
    assert reading.wanted == (
        "at most 5.00% of at least 10 requests, and at most 1.00% above the active colour's 0.10%"
    )  # fmt: skip
    assert (
        latency(0.5, measured(latency=0.2)).wanted
        == "at most 5 s, and at most 0.450 s beside the active colour's 0.200 s"
    )


def test_a_number_that_is_none_names_the_setting_to_mend():
    assert error_rate(7).found == "7 is no share of anything. Setting: SLIPWAY_ERROR_RATE_QUERY"
    assert latency(-1).found == "-1 s is no latency. Setting: SLIPWAY_LATENCY_QUERY"
