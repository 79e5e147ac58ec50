"""What there is to tell of settings files, such as names of earlier versions: each once in the life of a process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_noted: dict[str, bool] = {}
_somebody_tells: ContextVar[bool] = ContextVar("slipway_notices", default=False)


def note(sentence: str) -> None:
    """Remember to tell this."""
    if sentence:
        _noted.setdefault(sentence, False)


@contextmanager
def telling_notices(tell: Callable[[str], None]) -> Iterator[None]:
    """At the end of this, tell what was noted on the way and never told yet: by the outermost that would.

    So a command's output is whole before anything is told, and a flow in a terminal leaves it to the terminal.
    """
    if _somebody_tells.get():
        yield
        return
    token = _somebody_tells.set(True)
    try:
        yield
    finally:
        _somebody_tells.reset(token)
        for sentence in [sentence for sentence, told in _noted.items() if not told]:
            _noted[sentence] = True
            tell(sentence)
