"""Waiting with a deadline: for a state that is read again and again, and for a call that may fail at first."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
GROWTH = 1.5


class Clock:
    """Monotonic time and sleep. A test gives a clock of its own, and waits for nothing."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


SYSTEM = Clock()


def until(
    read: Callable[[], Found],
    done: Callable[[Found], object],
    within: float,
    *,
    pause: float,
    longest: float = 0.0,
    tell: Callable[[Found, float], None] = lambda _found, _seconds: None,
    unfinished: Callable[[Found, float], Exception] | None = None,
    clock: Clock = SYSTEM,
) -> Found:
    """Read again and again until the reading is done or time is up; returns the last reading.

    Args:
        read: handles its own errors; one that it raises ends the wait.
        within: seconds; what is done at the first reading is returned even when there are none left.
        pause: seconds between two readings; it grows by half each time where `longest` is more.
        tell: called with each reading that is not done, and the seconds since the beginning.
        unfinished: makes the error for a last reading that is not done. Without it that reading is returned.
    """
    began = clock.now()
    while not done(found := read()):
        seconds = clock.now() - began
        if seconds >= within:
            if unfinished:
                raise unfinished(found, seconds)
            break
        tell(found, seconds)
        clock.sleep(min(pause, within - seconds))
        pause = max(pause, min(pause * GROWTH, longest))
    return found


def attempt(
    work: Callable[[], Found],
    errors: type[Exception] | tuple[type[Exception], ...],
    within: float,
    *,
    pause: float,
    tell: Callable[[Exception], None] = lambda _error: None,
    clock: Clock = SYSTEM,
) -> Found:
    """Call until it does not raise one of these errors; the last one is raised when time is up.

    Args:
        within: seconds; it is called once even when there are none.
        pause: seconds between two calls.
        tell: called with the first error, if another call follows.
    """
    deadline, reported = clock.now() + within, False
    while True:
        try:
            return work()
        except errors as error:
            if (left := deadline - clock.now()) <= 0:
                raise
            if not reported:
                tell(error)
            reported = True
        clock.sleep(min(pause, left))
