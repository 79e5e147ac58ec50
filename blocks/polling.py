"""Waiting for something that DigitalOcean does, with progress and an end."""

import time
from collections.abc import Callable
from typing import TypeVar

from blocks.errors import ActionUnfinished

Progress = Callable[[str], None]
Found = TypeVar("Found")
_FIRST, _LONGEST, _TOLD_EVERY = 0.3, 5.0, 15.0


def silent(_words: str) -> None:
    """Progress that nobody wants to see."""


def until(
    read: Callable[[], Found], done: Callable[[Found], bool], what: str, within: float, tell: Progress = silent,
    say: Callable[[Found], str] = str,
) -> Found:  # fmt: skip
    """Read until it is done; returns what was read last.

    Args:
        what: what is waited for, in words.
        within: seconds.
        say: the state of what was read, in words.

    Raises:
        ActionUnfinished
    """
    began, pause = time.monotonic(), _FIRST
    last_told, last_said = began, ""
    while True:
        found = read()
        if done(found):
            return found
        took, said = time.monotonic() - began, say(found)
        if took > within:
            raise ActionUnfinished(f"{what} is still {said} after {took:.0f} s. It goes on there: look at it in "
                                   "DigitalOcean's control panel, and run the same command again")  # fmt: skip
        if said != last_said or time.monotonic() - last_told > _TOLD_EVERY:
            tell(f"{what}: {said} ({took:.0f} s)")
            last_told, last_said = time.monotonic(), said
        time.sleep(min(pause, max(0.05, within - took)))
        pause = min(pause * 1.5, _LONGEST)


def appeared(look: Callable[[], Found | None], within: float = 6.0) -> Found | None:
    """What was made by a call whose answer was lost, once it can be seen; None when it is not there within so many
    seconds, and the call can be made again."""
    deadline = time.monotonic() + within
    while True:
        found = look()
        if found is not None or time.monotonic() > deadline:
            return found
        time.sleep(0.5)
