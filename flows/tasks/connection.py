"""SSH connections of a run: one a droplet, opened once and used by every stage."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from blocks import Droplet
from blocks.ssh import Session

# Seconds for a command on a droplet that only looks, or moves a file.
QUICK = 60.0
_open: ContextVar[dict[str, Session] | None] = ContextVar("open_sessions", default=None)


@contextmanager
def connected(droplet: Droplet) -> Iterator[Session]:
    """Yield an open session to the droplet: the one that an outer `connected` keeps open, else one of its own.

    So `release` connects before it builds (a droplet that cannot be reached is refused before the work begins),
    and its stages use that connection. One that broke meanwhile is replaced.

    Raises:
        HostKeyRefused, LoginRefused, Unreachable
    """
    sessions = _open.get()
    if sessions is not None and droplet.name in sessions and sessions[droplet.name].alive:
        yield sessions[droplet.name]
        return
    with droplet.session() as session:
        token = _open.set({**(sessions or {}), droplet.name: session})
        try:
            yield session
        finally:
            _open.reset(token)
