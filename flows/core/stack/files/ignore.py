"""`.slipwayignore`: files that never ship, and files that do ship though something speaks against it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

from flows.core.errors import BrokenStack

IGNORE_FILE = ".slipwayignore"


@dataclass(frozen=True)
class IgnoreRules:
    """The patterns that count for a stack, in the syntax of `.gitignore` (git-scm.com/docs/gitignore).

    Args:
        rules: directory → the patterns written there, outer directories first: what is nearer to a file wins.
    """

    rules: tuple[tuple[str, GitIgnoreSpec], ...] = ()

    def __add__(self, other: "IgnoreRules") -> "IgnoreRules":
        return IgnoreRules((*self.rules, *other.rules))

    def left_out(self, path: str, *, directory: bool) -> bool | None:
        """Whether a path is left out (True), ships because a pattern with `!` says so (False), or nothing is said."""
        verdict = None
        for place, spec in self.rules:
            prefix = place.rstrip("/") + "/"
            if path.startswith(prefix):
                said = spec.check_file(path.removeprefix(prefix) + ("/" if directory else "")).include
                verdict = verdict if said is None else said
        return verdict


def ignore_rules(place: str, lines: Iterable[str]) -> IgnoreRules:
    """The patterns that stand in a directory.

    Raises:
        BrokenStack: one is no pattern.
    """
    try:
        return IgnoreRules(((place, GitIgnoreSpec.from_lines(lines)),))
    except (ValueError, re.error) as error:
        raise BrokenStack(
            f"{place}/{IGNORE_FILE}: {error}. Patterns are those of .gitignore: git-scm.com/docs/gitignore"
        ) from None
