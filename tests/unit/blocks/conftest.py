"""A clock that moves only when somebody sleeps."""

import pytest

from blocks.polling import Clock


class FakeClock(Clock):
    """Time passes by sleeping, and at once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.pauses: list[float] = []

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
