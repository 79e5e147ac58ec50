"""The statistics of few: against published values, and against their own definitions."""

import pytest

from flows.core.insight.stability.statistics import median, percentile_95, unbroken_run, wilson_interval

pytestmark = pytest.mark.unit

# R. G. Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3 (Wilson without correction for continuity).
PUBLISHED = {
    (81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0.0000, 0.1611), (1, 29): (0.0061, 0.1718),
}  # fmt: skip


@pytest.mark.parametrize(("seen", "interval"), PUBLISHED.items())
def test_the_interval_is_that_of_the_publication(seen, interval):
    assert wilson_interval(*seen) == pytest.approx(interval, abs=5e-5)


def test_all_well_reaches_one_and_nothing_says_nothing():
    assert wilson_interval(5, 5) == (pytest.approx(0.5655, abs=5e-5), 1.0)
    assert wilson_interval(0, 0) is None


@pytest.mark.parametrize(("values", "wanted"), [([], None), ([3.0], 3.0), (list(range(1, 101)), 95), ([1, 2], 2)])
def test_the_percentile_is_the_nearest_rank(values, wanted):
    assert percentile_95(values) == wanted


def test_nothing_has_no_median():
    assert (median([]), median([1.0, 2.0])) == (None, 1.5)


@pytest.mark.parametrize(("threshold", "at_most"), [(0.9, False), (0.95, False), (0.15, True), (0.01, True)])
def test_so_many_without_an_exception_are_enough_and_one_less_is_not(threshold, at_most):
    run = unbroken_run(threshold, at_most=at_most)
    for count, enough in ((run, True), (run - 1, False)):
        low, high = wilson_interval(0 if at_most else count, count)
        assert (high <= threshold if at_most else low >= threshold) is enough


def test_no_number_of_them_proves_a_hundred_percent():
    assert (unbroken_run(1.0), unbroken_run(0.0, at_most=True), unbroken_run(0.0)) == (None, None, 1)
