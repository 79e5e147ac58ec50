"""Which directories a stack's files may come from: its own checkout, and what the setting `source_roots` names."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from flows.core.errors import OutsideSource
from flows.core.stack.files.shipped_files import StackFiles
from flows.core.stack.stack import inside
from flows.settings import Settings
from flows.tasks.stack.git import checkout_of

_SETTING = "the setting source_roots (SLIPWAY_SOURCE_ROOTS)"
_work_trees: set[str] = set()


@contextmanager
def own_work_tree(place: str) -> Iterator[None]:
    """Take a work tree that we made for what it is made of: its checkout was allowed."""
    real = os.path.realpath(place)
    _work_trees.add(real)
    try:
        yield
    finally:
        _work_trees.discard(real)


def refuse_not_allowed(path: str, settings: Settings) -> None:
    """Refuse a path that a run was given and that `source_roots` does not allow; without that setting, each is.

    Raises:
        OutsideSource
    """
    roots = _named(settings)
    if roots and not _within(path, (*roots, *_work_trees)):
        raise OutsideSource(f"{path}: runs may not name files there. They may below {', '.join(roots)}: {_SETTING}")


def refuse_outside(stack: str, sources: StackFiles, settings: Settings) -> None:
    """Refuse to publish what a link or a `..` leads to outside the checkout.

    Outside git the files that the stack names have a directory in common: what only a link leads to lies elsewhere.

    Args:
        stack: as it was given.

    Raises:
        OutsideSource
    """
    places = [os.path.realpath(part if os.path.isdir(part) else os.path.dirname(part) or ".") for part in _parts(stack)]
    tops = [checkout_of(place) for place in places]
    roots = [top or place for top, place in zip(tops, places, strict=True)]
    if not any(tops) and sources.root != "/":
        roots.append(os.path.realpath(sources.root))
    mounted = (path for paths in sources.readers.values() for path in paths)
    published = dict.fromkeys((*sources.compose_files, *sources.shipped, *sources.state, *mounted))
    astray = [path for path in published if os.path.lexists(path) and not _within(path, (*roots, *_named(settings)))]
    if astray:
        raise OutsideSource(
            f"{', '.join(_told(path) for path in astray)}: lies outside {', '.join(dict.fromkeys(roots))}, and would "
            f"be published in the registry with what is mounted. Copy it there, or name its directory in {_SETTING}"
        )


def _parts(stack: str) -> Iterable[str]:
    return (os.path.abspath(part) for part in stack.split(os.pathsep))


def _named(settings: Settings) -> tuple[str, ...]:
    return tuple(os.path.realpath(os.path.expanduser(root)) for root in settings.source_roots)


def _within(path: str, roots: Iterable[str]) -> bool:
    real = os.path.realpath(path)
    return any(inside(real, root) for root in roots)


def _told(path: str) -> str:
    real = os.path.realpath(path)
    return path if real == path else f"{path} → {real}"
