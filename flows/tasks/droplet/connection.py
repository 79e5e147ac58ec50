"""SSH connections of a run: one a droplet, opened once and used by every stage."""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prefect.logging import get_logger

from blocks import Droplet
from blocks.errors import RemoteFailed, RemoteTimeout, Unreachable
from blocks.polling import attempt
from blocks.ssh.session import Session
from flows.tasks.runs.context import extended_context, run_context

# Seconds for a command on a droplet that only looks, or moves a file.
QUICK = 60.0


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
    sessions = run_context().sessions
    if droplet.block in sessions and _serves(sessions[droplet.block], patience):
        yield sessions[droplet.block]
        return
    with _opened(droplet, patience) as session, extended_context(sessions={**sessions, droplet.block: session}):
        yield session


@contextmanager
def _opened(droplet: Droplet, patience: float) -> Iterator[Session]:
    with contextlib.ExitStack() as stack:
        deadline = time.monotonic() + patience
        session = droplet.session()
        stack.push(session)
        _try(session.__enter__, droplet.name, patience)
        if patience:
            _await_engine(session, deadline - time.monotonic())
        yield session


def _serves(session: Session, patience: float) -> bool:
    """Whether an open session can still be used; with patience, once its engine answers."""
    if session.alive and patience:
        with contextlib.suppress(Unreachable):
            _await_engine(session, patience)
    return session.alive


def _await_engine(session: Session, patience: float) -> None:
    """Wait until the engine answers; a connection that is gone is not waited for."""

    def ask() -> None:
        if session.alive:
            session.run(["docker", "version"], timeout=QUICK)

    _try(ask, session.address.name, patience)


def _try(work: Callable[[], object], droplet: str, patience: float) -> None:
    """Try until it works, or until `patience` seconds are over."""

    def tell(error: Exception) -> None:
        get_logger("slipway.hooks").warning("waiting up to %.0f s for %s: %s", patience, droplet, error)

    attempt(work, (Unreachable, RemoteFailed, RemoteTimeout), patience, pause=1.0, tell=tell)
