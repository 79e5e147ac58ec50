"""Looks that take a while, for who asks often and waits only so long: each in a thread of its own."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Found = TypeVar("Found")


@dataclass(frozen=True)
class LookAnswer(Generic[Found]):
    """What a look found, and when it ended (seconds since the epoch); without `found`, the error that it ended in."""

    found: Found | None
    at: float
    error: Exception | None = None


class Looked(Generic[Found]):
    """One thing that is looked at when somebody asks, in a thread of its own: one look at a time, and not more often
    than once in `age` seconds. A look that hangs keeps nobody waiting for longer than they say."""

    def __init__(self, look: Callable[[], Found], age: float) -> None:
        self._look, self._age = look, age
        self._lock = threading.Condition()
        self._running = False
        self._ended: float | None = None
        self._answer: LookAnswer[Found] | None = None

    def begin(self, asked: float) -> None:
        """Look anew, unless the last look was young enough then (monotonic), or one is under way."""
        with self._lock:
            if self._running or (self._ended is not None and asked - self._ended < self._age):
                return
            self._running = True
        threading.Thread(target=self._run, daemon=True).start()

    def newest(self, deadline: float) -> LookAnswer[Found] | None:
        """The answer of the look that was begun last; None where that has not ended by the deadline (monotonic)."""
        with self._lock:
            self._lock.wait_for(lambda: not self._running, max(0.0, deadline - time.monotonic()))
            return None if self._running else self._answer

    @property
    def last(self) -> LookAnswer[Found] | None:
        """The last answer, whether or not another look is under way."""
        return self._answer

    def _run(self) -> None:
        try:
            answer = LookAnswer(self._look(), time.time())
        except Exception as error:  # whatever it is, the scrape goes on without it
            answer = LookAnswer(None, time.time(), error)
        with self._lock:
            self._answer, self._ended, self._running = answer, time.monotonic(), False
            self._lock.notify_all()
