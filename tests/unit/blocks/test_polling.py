"""Waiting with a deadline: what is read how often, what is told, and how it ends."""

import math
from itertools import count

import pytest

from blocks.polling import attempt, until

pytestmark = pytest.mark.unit


class Unfinished(Exception):
    """The caller's own error."""


def readings(*values):
    """Reads these, one after another; the last one again and again."""
    left = list(values)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def ready(value: str) -> bool:
    return value == "ready"


def test_what_is_done_at_once_is_not_waited_for(clock):
    assert until(readings("ready"), ready, 0, pause=1, clock=clock) == "ready"
    assert clock.pauses == []


def test_it_is_read_again_after_each_pause_until_it_is_done(clock):
    told = []
    found = until(
        readings("new", "starting", "ready"), ready, 10, pause=2, tell=lambda *now: told.append(now), clock=clock
    )
    assert (found, clock.pauses, told) == ("ready", [2, 2], [("new", 0), ("starting", 2)])


def test_pauses_grow_by_half_up_to_the_longest(clock):
    number = count()
    until(lambda: next(number), lambda n: n == 6, math.inf, pause=2, longest=5, clock=clock)
    assert clock.pauses == [2, 3, 4.5, 5, 5, 5]


def test_the_last_reading_comes_at_the_deadline_and_is_returned(clock):
    told = []
    found = until(readings("new", "late"), ready, 5, pause=2, tell=lambda found, _: told.append(found), clock=clock)
    assert (found, clock.pauses, told) == ("late", [2, 2, 1], ["new", "late", "late"])


def test_what_is_not_done_in_time_is_the_callers_error(clock):
    with pytest.raises(Unfinished, match="starting after 3 s"):
        until(
            readings("starting"), ready, 3, pause=2, clock=clock,
            unfinished=lambda found, seconds: Unfinished(f"{found} after {seconds:g} s"),
        )  # fmt: skip


def test_an_error_of_the_reading_ends_the_wait(clock):
    def read() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        until(read, ready, 10, pause=1, clock=clock)
    assert clock.pauses == []


def calls(*results):
    """Returns or raises these, one after another; the last one again and again."""
    read = readings(*results)

    def work():
        result = read()
        if isinstance(result, Exception):
            raise result
        return result

    return work


def test_a_call_that_fails_at_first_is_made_again_and_its_first_error_is_told(clock):
    told = []
    work = calls(KeyError("one"), ValueError("two"), "done")
    assert attempt(work, (KeyError, ValueError), 10, pause=3, tell=told.append, clock=clock) == "done"
    assert (clock.pauses, [str(error) for error in told]) == ([3, 3], ["'one'"])


def test_the_last_error_is_raised_when_time_is_up(clock):
    with pytest.raises(KeyError, match="late"):
        attempt(calls(KeyError("early"), KeyError("late")), KeyError, 5, pause=3, clock=clock)
    assert clock.pauses == [3, 2]


def test_a_call_without_time_is_made_once_and_nothing_is_told(clock):
    told = []
    with pytest.raises(KeyError):
        attempt(calls(KeyError("one"), "done"), KeyError, 0, pause=3, tell=told.append, clock=clock)
    assert (clock.pauses, told) == ([], [])


def test_another_error_is_raised_at_once(clock):
    with pytest.raises(ValueError, match="two"):
        attempt(calls(KeyError("one"), ValueError("two"), "done"), KeyError, 10, pause=3, clock=clock)
    assert clock.pauses == [3]
