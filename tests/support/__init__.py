"""What tests share."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 60.0
"""Seconds that are enough on any machine. Who waits so long has failed; nobody is measured by it."""

Found = TypeVar("Found")


def wait_until(look: Callable[[], Found]) -> Found:
    """Look again and again until there is something to see; what was seen."""
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline, f"after {PATIENCE:.0f} s it is {found!r}"
        time.sleep(0.01)
    return found
