"""The context of a run: what its steps share without being handed it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from blocks.ssh.session import Session
from blocks.ssh.shell import RemoteShell
from flows.core.droplet.directories import StackDirectory
from flows.settings import Settings

# The attribute of a log record that holds a plan of a deploy: a terminal shows it as a table.
PLAN = "slipway_plan"


@dataclass(frozen=True)
class DropletAtWork:
    """The droplet that a run is changing. Failure hooks of tasks have nothing else to go by."""

    session: RemoteShell
    directory: StackDirectory
    settings: Settings


@dataclass(frozen=True)
class Asking:
    """Somebody at a terminal who can be asked.

    Args:
        ask: shows a question, and says whether the answer is yes.
        wanted: whether that was asked for on the command line; None: the setting `confirm` says it.
    """

    ask: Callable[[str], bool]
    wanted: bool | None = None


@dataclass(frozen=True)
class RunContext:
    """What an outer step has opened, and inner steps use.

    Args:
        sessions: droplet → its open SSH connection.
        locks: (droplet, directory) → the session that holds its lock.
        blocks: (kind, name) → a block that was loaded before; None: every load asks the server.
        at_work: the droplet that is being changed.
        quiet: the same steps are taken again and again: the terminal shows only what is not well.
        asking: who can be asked; None: nobody.
        confirmed: place → the mark of the plan that somebody said yes to.
    """

    sessions: Mapping[str, Session] = field(default_factory=dict)
    locks: Mapping[tuple[str, str], RemoteShell] = field(default_factory=dict)
    blocks: dict[tuple[type, str], Any] | None = None
    at_work: DropletAtWork | None = None
    quiet: bool = False
    asking: Asking | None = None
    confirmed: Mapping[str, str] = field(default_factory=dict)


_EMPTY = RunContext()
_current: ContextVar[RunContext] = ContextVar("slipway_run", default=_EMPTY)


def run_context() -> RunContext:
    """The context of the code that asks."""
    return _current.get()


@contextmanager
def extended_context(**changes: Any) -> Iterator[None]:
    """Extend the context with these fields for as long as this is open."""
    token = _current.set(replace(_current.get(), **changes))
    try:
        yield
    finally:
        _current.reset(token)
