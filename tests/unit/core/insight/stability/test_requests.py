"""Error rate and latency of samples with gaps, NaN and what cannot be."""

from datetime import UTC, datetime, timedelta

import pytest

from flows.core.insight.stability.number import StabilityThresholds
from flows.core.insight.stability.requests import (
    ColourSamples,
    RequestHistory,
    before_and_after,
    error_rate_number,
    latency_number,
    range_step,
    request_course,
    request_windows,
)
from flows.core.insight.stability.rollouts import Rollout
from flows.core.records.record import Record

pytestmark = pytest.mark.unit
BEGIN = datetime(2026, 5, 4, tzinfo=UTC)
AT = BEGIN.timestamp()
NAN, INF = float("nan"), float("inf")
WANTED = StabilityThresholds()


def at(minute: float) -> float:
    return AT + minute * 60


SAMPLES = ColourSamples(
    requests=((at(5), 100), (at(10), 0), (at(15), NAN), (at(20), 300), (at(30), 50), (at(35), INF)),
    error_rate=((at(5), 0.1), (at(10), NAN), (at(20), 0.0), (at(30), 7.0)),
    latency=((at(5), 0.2), (at(20), NAN), (at(30), 0.4)),
)


def test_windows_without_requests_and_values_that_cannot_be_are_no_data():
    found = [(one.requests, one.error_rate, one.latency) for one in request_windows(SAMPLES)]
    assert found == [(100, 0.1, 0.2), (300, 0.0, None), (50, None, 0.4)]


def test_each_window_weighs_as_much_as_its_requests():
    asked = RequestHistory({"green": SAMPLES})
    rate = error_rate_number(asked, ["2026-05-04"], WANTED, ())
    assert (rate.value, rate.count, rate.verdict) == (pytest.approx(0.025), 400, "fail")
    assert [(day.value, day.count) for day in rate.course] == [(pytest.approx(0.025), 400)]
    slow = latency_number(asked, ["2026-05-04"], WANTED, ())
    assert (slow.value, slow.count, slow.verdict) == (0.2, 150, "pass")


def test_a_prometheus_that_is_away_is_said_and_no_data():
    asked = RequestHistory({}, trouble="Prometheus at http://p cannot be reached")
    for one in (error_rate_number(asked, [], WANTED, ()), latency_number(asked, [], WANTED, ())):
        assert (one.value, one.verdict, one.why) == (None, "not enough data", asked.trouble)


def test_the_course_is_by_the_hour_and_a_gap_stays_one():
    samples = ColourSamples([(at(5), 10), (at(59), 30), (at(245), 20)], [(at(5), 0.4), (at(59), 0.0)], ())
    found = request_course(RequestHistory({"green": samples}), BEGIN, BEGIN + timedelta(days=1))
    assert [((one.at - AT) / 3600, one.requests, one.error_rate, one.latency) for one in found] == [
        (0, 40, pytest.approx(0.1), None), (4, 20, None, None)
    ]  # fmt: skip


@pytest.mark.parametrize(("days", "step"), [(7, 300), (0.1, 60), (366, 15686)])
def test_a_range_has_no_more_points_than_prometheus_answers(days, step):
    assert range_step(days * 86400) == step
    assert days * 86400 / step < 11_000


def served(minute: float, number: int) -> Rollout:
    told = Record(number=number, stack="shop", tag=f"v{number}", name=f"v{number}.0")
    moment = BEGIN + timedelta(minutes=minute)
    return Rollout(f"green-{number}", "green", (("green", told),), moment, moment, True, False)


def test_before_and_after_are_whole_windows_of_an_hour_that_the_next_release_and_the_one_before_cut_short():
    every = [(at(5 * place), 1) for place in range(1, 60)]
    rates = [(moment, 0.05 if at(100) < moment <= at(120) else 0.001) for moment, _ in every]
    asked = RequestHistory({"green": ColourSamples(every, rates, ())}, step=300)
    found = before_and_after([served(102, 1), served(120, 2)], asked, BEGIN, WANTED)
    assert [one.requests for one in found] == [(11, 3), (3, 12)]
    assert [one.worse for one in found] == [True, False]
    assert (found[0].error_rate[1], found[1].error_rate[1]) == (pytest.approx(0.05), pytest.approx(0.001))
