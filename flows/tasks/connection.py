"""SSH connections of a run: one a droplet, opened once and used by every stage."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from prefect.logging import get_logger

from blocks import Droplet
from blocks.errors import RemoteFailed, RemoteTimeout, Unreachable
from blocks.ssh import Session

# Seconds for a command on a droplet that only looks, or moves a file.
QUICK = 60.0
_open: ContextVar[dict[str, Session] | None] = ContextVar("open_sessions", default=None)


@contextmanager
def connected(droplet: Droplet, patience: float = 0.0) -> Iterator[Session]:
    """Yield an open session to the droplet: the one that an outer `connected` keeps open, else one of its own.

    So `release` connects before it builds (a droplet that cannot be reached is refused before the work begins),
    and its stages use that connection. One that broke meanwhile is replaced.

    Args:
        patience: seconds in which a droplet that cannot be reached, or whose engine is down, is tried again.

    Raises:
        HostKeyRefused, LoginRefused, Unreachable
    """
    sessions = _open.get()
    if sessions is not None and droplet.name in sessions and sessions[droplet.name].alive:
        yield sessions[droplet.name]
        return
    with _opened(droplet, patience) as session:
        token = _open.set({**(sessions or {}), droplet.name: session})
        try:
            yield session
        finally:
            _open.reset(token)


@contextmanager
def _opened(droplet: Droplet, patience: float) -> Iterator[Session]:
    deadline = time.monotonic() + patience
    told = False
    while True:
        session = droplet.session()
        try:
            session.__enter__()
            if patience:
                session.run(["docker", "version"], timeout=QUICK)
            break
        except (Unreachable, RemoteFailed, RemoteTimeout) as error:
            session.__exit__(None, None, None)
            if time.monotonic() > deadline:
                raise
            if not told:
                get_logger("slipway.hooks").warning("waiting up to %.0f s for %s: %s", patience, droplet.name, error)
            told = True
            time.sleep(1)
    try:
        yield session
    finally:
        session.__exit__(None, None, None)
