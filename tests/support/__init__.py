"""What tests share."""

import subprocess
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


def assert_good_shell(script: str | bytes, *allowed: str) -> None:
    """The shell takes a script, and shellcheck finds nothing in it but these (`SC2086`)."""
    given = script.encode() if isinstance(script, str) else script
    for argv in (["sh", "-n"], ["shellcheck", "-s", "sh", "-e", ",".join(allowed or ("SC0000",)), "-"]):
        checked = subprocess.run(argv, input=given, capture_output=True, check=False)
        assert (checked.returncode, (checked.stdout + checked.stderr).decode()) == (0, "")
