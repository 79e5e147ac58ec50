"""Finds what does not ship from a checkout: what `.slipwayignore` names, and what git ignores."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from flows.core.errors import BrokenStack, UnreadableFile
from flows.core.stack.files.ignore import IGNORE_FILE, IgnoreRules, ignore_rules
from flows.core.stack.stack import inside
from flows.tasks.stack.git import checkout_of, git


def rules_of(directory: str) -> IgnoreRules:
    """The rules that stand in a directory itself.

    Raises:
        BrokenStack, UnreadableFile
    """
    file = Path(directory, IGNORE_FILE)
    try:
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        return IgnoreRules()
    except OSError as error:
        raise UnreadableFile(f"{file}: {error.strerror}. Make it readable") from None
    return ignore_rules(directory, text.splitlines())


def rules_above(paths: Sequence[str], root: str, project: str, ships: Iterable[str]) -> IgnoreRules:
    """The rules that stand above these paths, as far up as their checkout (outside git: their root) goes.

    Args:
        ships: patterns of what ships whatever is said elsewhere, relative to the project's directory.
    """
    top = checkout_of(project) or root
    places = {parent for path in (*paths, os.path.join(project, IGNORE_FILE)) for parent in _parents(path, top, root)}
    rules = IgnoreRules()
    for place in sorted(places, key=lambda place: place.count("/")):
        rules += rules_of(place)
    wanted = [f"!{pattern}" for pattern in ships]
    return rules + ignore_rules(project, wanted) if wanted else rules


def ignored_by_git(paths: Iterable[str]) -> frozenset[str]:
    """What git ignores at and below these paths; a directory that it ignores whole stands for all in it.

    What is tracked is never ignored. Outside of a checkout, nothing is.

    Raises:
        BrokenStack: git does not say.
    """
    found: set[str] = set()
    for path in paths:
        real = os.path.realpath(path)
        top = checkout_of(real if os.path.isdir(real) else os.path.dirname(real))
        for ignored in _listed(top, "." if real == top else real) if top else ():
            if inside(ignored, real):
                found.add(os.path.normpath(os.path.join(path, os.path.relpath(ignored, real))))
            elif inside(real, ignored):
                found.add(path)
    return frozenset(found)


def _listed(top: str, path: str) -> tuple[str, ...]:
    words = ("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z", "--", path)
    answer = git(top, *words)
    if answer.returncode != 0:
        raise BrokenStack(f"git cannot say what it ignores in {path}: {answer.stderr.strip()}")
    return tuple(os.path.normpath(os.path.join(top, name)) for name in answer.stdout.split("\0") if name)


def _parents(path: str, top: str, root: str) -> Iterable[str]:
    """The directories above a path, from the outermost that counts."""
    last = top if inside(path, top) else root
    place = os.path.dirname(path)
    while inside(place, last):
        yield place
        if place == last or place == os.path.dirname(place):
            return
        place = os.path.dirname(place)
