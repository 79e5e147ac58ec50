"""Waits for DigitalOcean: the state of an operation as progress, and an error when it does not end."""

from collections.abc import Callable
from typing import TypeVar

from blocks.errors import ActionUnfinished
from blocks.polling import SYSTEM, Clock, until

Progress = Callable[[str], None]
Found = TypeVar("Found")
_FIRST_PAUSE, _LONGEST_PAUSE, _REPEATED_EVERY = 0.3, 5.0, 15.0


def silent(_words: str) -> None:
    """Progress that is not shown."""


def wait_for(
    what: str,
    read: Callable[[], Found],
    done: Callable[[Found], object],
    within: float,
    *,
    tell: Progress = silent,
    state: Callable[[Found], str],
    clock: Clock = SYSTEM,
) -> Found:
    """Read until it is done; returns the last reading.

    Args:
        what: what is waited for, in words.
        within: seconds.
        tell: called with the state when it changes, and again every fifteen seconds.
        state: what was read, in words.

    Raises:
        ActionUnfinished
    """
    shown, shown_at = "", 0.0

    def show(found: Found, seconds: float) -> None:
        nonlocal shown, shown_at
        if state(found) != shown or seconds - shown_at > _REPEATED_EVERY:
            shown, shown_at = state(found), seconds
            tell(f"{what}: {shown} ({seconds:.0f} s)")

    def unfinished(found: Found, seconds: float) -> ActionUnfinished:
        return ActionUnfinished(
            f"{what} is still {state(found)} after {seconds:.0f} s. It goes on there: look at it in DigitalOcean's "
            "control panel, and run the same command again"
        )

    return until(
        read,
        done,
        within,
        pause=_FIRST_PAUSE,
        longest=_LONGEST_PAUSE,
        tell=show,
        unfinished=unfinished,
        clock=clock,
    )


def appeared(look: Callable[[], Found | None], within: float = 6.0) -> Found | None:
    """The resource that a call made whose answer was lost, or None: then the call can be made again.

    Args:
        within: seconds until it must be seen.
    """
    return until(look, lambda found: found is not None, within, pause=0.5)
