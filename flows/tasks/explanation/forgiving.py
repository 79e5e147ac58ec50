"""Reads a stack as a release does, and goes on where a release would refuse: what it would say is collected."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import TypeVar

from flows.core.errors import Refused
from flows.core.explanation.explanation import Refusal
from flows.settings import Settings
from flows.tasks.stack.reading import ComposeReader, refuse_unset, unset_variables

T = TypeVar("T")
# A value that is a word, a number and a name: it takes the place of one that must be there.
_STAND_IN = "1"
_REQUIRED = re.compile(r"required variable (\w+) is missing a value")


class ForgivingReader(ComposeReader):
    """Compose with stand-ins for what is not set.

    Args:
        variables: the stack's own.
    """

    def __init__(self, settings: Settings, variables: Mapping[str, str]) -> None:
        super().__init__(settings, variables)
        self.unset: dict[str, None] = {}

    def refuse(self, names: Sequence[str], who: str) -> None:
        """Remember the names; the text goes on without them."""
        self.unset |= dict.fromkeys(names)

    def _run(
        self, directory: Path, files: tuple[str, ...], profiles: Sequence[str], *words: str, project: str = ""
    ) -> CompletedProcess[str]:
        answer = super()._run(directory, files, profiles, *words, project=project)
        while answer.returncode and (missing := self._missing(answer.stderr)):
            self.unset |= dict.fromkeys(missing)
            self._variables |= dict.fromkeys(missing, _STAND_IN)
            answer = super()._run(directory, files, profiles, *words, project=project)
        return answer

    def _missing(self, complaints: str) -> list[str]:
        """What Compose cannot go on without: a variable that must be there, else all that it warned of."""
        known = self._variables.keys()
        required = set(_REQUIRED.findall(complaints)) - known
        return sorted(required or set(unset_variables(complaints)) - known)


class Refusals:
    """What a release would refuse, in the order in which it was found, each once."""

    def __init__(self) -> None:
        self._found: dict[Refusal, None] = {}

    def __iter__(self) -> Iterator[Refusal]:
        return iter(self._found)

    def add(self, refusal: Refusal) -> None:
        """Add one."""
        self._found[refusal] = None

    def attempt(self, step: Callable[[], T], instead: T) -> T:
        """Take a step, and keep what it refuses; then its result is `instead`."""
        try:
            return step()
        except Refused as error:
            self.add(Refusal(type(error).__name__, str(error)))
            return instead

    def with_unset(self, names: Iterable[str]) -> tuple[Refusal, ...]:
        """All of them, and that of these variables, which Compose would have said first."""
        unset = Refusals()
        unset.attempt(lambda: refuse_unset(sorted(names), "the compose files use"), None)
        return (*unset, *self)
