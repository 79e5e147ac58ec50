"""What tests share."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 120.0
"""Seconds that are enough on any machine. Who waits so long has failed; nobody is measured by it."""

Found = TypeVar("Found")


def wait_until(
    look: Callable[[], Found], within: float = PATIENCE, *, why: Callable[[], object] = lambda: "", pause: float = 0.01
) -> Found:
    """Look again and again until there is something to see; what was seen.

    Args:
        within: seconds, and then it has failed.
        why: says what is wrong, once it has failed.
        pause: seconds between two looks.
    """
    deadline = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < deadline, f"after {within:.0f} s it is {found!r} {why()}"
        time.sleep(pause)
    return found
