"""A git commit as a directory of its own: a release builds what was asked for, not what happens to lie there."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.core.errors import BadTag, StackNotFound
from flows.tasks.stack.project import find_compose_files

FETCH_TIMEOUT = 300.0


@contextmanager
def checked_out(stack: str, ref: str | None) -> Iterator[str]:
    """Yield the stack's path in a work tree of `ref`, removed again at the end; the path as it is without a ref.

    The work tree's directory has the checkout's name, because a stack without `name:` is called after it.

    Raises:
        BadTag: the commit is neither here nor at `origin`.
        StackNotFound: the commit has no such compose file.
    """
    if not ref:
        yield stack
        return
    files = find_compose_files(stack)
    top = _git(os.path.dirname(files[0]), "rev-parse", "--show-toplevel").strip()
    commit = _commit(top, ref)
    with tempfile.TemporaryDirectory(prefix="slipway-checkout-") as directory:
        place = os.path.join(directory, os.path.basename(top))
        _git(top, "worktree", "add", "--detach", "--force", place, commit)
        try:
            moved = [os.path.join(place, os.path.relpath(os.path.realpath(file), top)) for file in files]
            absent = [file for file in moved if not Path(file).is_file()]
            if absent:
                raise StackNotFound(f"commit {ref} has no {os.path.relpath(absent[0], place)}. Give another --stack")
            yield os.pathsep.join(moved)
        finally:
            _git(top, "worktree", "remove", "--force", place)


def _commit(top: str, ref: str) -> str:
    """The commit that a ref means, fetched from origin when it is not here."""
    if ref.startswith("-"):
        raise BadTag(f"'{ref}' is no git ref")
    for remedy in (None, ref):
        try:
            if remedy:
                _git(top, "fetch", "--quiet", "origin", remedy)
            return _git(
                top, "rev-parse", "--verify", "--quiet", "FETCH_HEAD" if remedy else f"{ref}^{{commit}}"
            ).strip()
        except subprocess.CalledProcessError:
            continue
        except subprocess.TimeoutExpired:
            break
    raise BadTag(f"commit {ref} is neither in {top} nor at its origin. Push it first, or give another --ref")


def _git(directory: str, *words: str) -> str:
    return subprocess.run(
        ["git", "-C", directory, *words], capture_output=True, text=True, check=True, timeout=FETCH_TIMEOUT
    ).stdout
