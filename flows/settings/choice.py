"""What a run has chosen that decides which settings hold for it: a destination, and a stack that brings a file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class CommitFile:
    """The settings file of the commit that a run is about.

    Args:
        stack: as the run was given it.
        ref: the branch, tag or hash that was asked for.
        commit: what it meant when the run began, and means to its end.
        name: the file's, inside its repository.
        text: what it says; None where the commit has none.
        replaces: the same file as it lies in the checkout, absolute.
    """

    stack: str
    ref: str
    commit: str
    name: str
    text: str | None
    replaces: str

    @property
    def origin(self) -> str:
        """The file, as it is told."""
        return f"{self.name} of commit {self.commit[:12]}"


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    Args:
        destination: '' where none was named.
        stack: path of a stack, or its name, which leads to no file; '' where none was named.
        commit: where the run is about a commit: what stands there instead of what lies in the checkout.
        anywhere: only what the operator's own files say is asked for, whatever the destination.
    """

    destination: str = ""
    stack: str = ""
    commit: CommitFile | None = None
    anywhere: bool = False


_NONE = Choice()
_current: ContextVar[Choice] = ContextVar("slipway_choice", default=_NONE)


def current_choice() -> Choice:
    """What the code that asks runs for."""
    return _current.get()


@contextmanager
def chosen(
    destination: str = "", stack: str = "", commit: CommitFile | None = None, *, anywhere: bool = False
) -> Iterator[None]:
    """Let settings be those of this choice for as long as this is open. What is not said stays as it is around it.

    A stack's name is no other choice than the path around it: an outer step knew where the stack is.
    """
    now = _current.get()
    if destination:
        now = replace(now, destination=destination)
    if stack and not now.commit and (not now.stack or is_path(stack)):
        now = replace(now, stack=stack)
    if commit:
        now = replace(now, stack=commit.stack, commit=commit)
    if anywhere != now.anywhere:
        now = replace(now, anywhere=anywhere)
    token = _current.set(now)
    try:
        yield
    finally:
        _current.reset(token)


def is_path(stack: str) -> bool:
    """Whether a stack was given as a path."""
    return Path(stack.split(os.pathsep, maxsplit=1)[0]).exists()
