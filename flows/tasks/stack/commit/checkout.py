"""A git commit as a directory of its own: a release builds what was asked for, not what happens to lie there."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.core.errors import BadTag, BrokenStack, StackNotFound
from flows.settings.choice import current_choice
from flows.tasks.private_directory import private_directory
from flows.tasks.stack.git import checkout_of, git
from flows.tasks.stack.project import find_compose_files
from flows.tasks.stack.source_roots import own_work_tree

FETCH_TIMEOUT = 300.0
# What is at origin under another name, nobody has taken into a branch or a tag: a pull request is.
_BRANCHES_AND_TAGS = ("refs/tags/", "refs/heads/")
_WHOLE_HASH, _HASH = re.compile("[0-9a-fA-F]{40}|[0-9a-fA-F]{64}"), re.compile("[0-9a-fA-F]{7,64}")


@contextmanager
def checked_out(stack: str, ref: str | None) -> Iterator[str]:
    """Yield the stack's path in a work tree of `ref`, removed again at the end; the path as it is without a ref.

    The work tree's directory has the checkout's name, because a stack without `name:` is called after it.

    Args:
        ref: a branch, a tag, or a commit's hash.

    Raises:
        BadTag: the ref is none of these, or neither here nor at `origin`.
        StackNotFound: the commit has no such compose file.
    """
    if not ref:
        yield stack
        return
    files = find_compose_files(stack)
    top = checkout_of(os.path.dirname(files[0]))
    if not top:
        raise BadTag(f"{stack} is in no git checkout, so there is no commit to take. Leave --ref out")
    known = current_choice().commit
    commit = known.commit if known and known.ref == ref else resolved_commit(top, ref)
    git(top, "worktree", "prune", "--expire", "1.day.ago")  # those of killed runs: their directories are swept
    with private_directory("checkout") as directory:
        place = os.path.join(directory, os.path.basename(top))
        made = git(top, "worktree", "add", "--detach", "--force", place, commit, timeout=FETCH_TIMEOUT)
        try:
            if made.returncode != 0:
                raise BrokenStack(f"git cannot check out {ref} of {top}: {made.stderr.strip()}. Put that right first")
            moved = [os.path.join(place, os.path.relpath(os.path.realpath(file), top)) for file in files]
            absent = [file for file in moved if not Path(file).is_file()]
            if absent:
                raise StackNotFound(f"commit {ref} has no {os.path.relpath(absent[0], place)}. Give another --stack")
            with own_work_tree(place):
                yield os.pathsep.join(moved)
        finally:
            git(top, "worktree", "remove", "--force", place, timeout=FETCH_TIMEOUT)


def resolved_commit(top: str, ref: str) -> str:
    """The commit that a ref means, fetched from origin when it is not here.

    Raises:
        BadTag
    """
    here, there = _meanings(top, ref)
    for name in here:
        if commit := _resolved(top, name):
            return commit
    for name in there:
        fetched = git(
            top, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "origin", name, timeout=FETCH_TIMEOUT
        )
        if fetched.returncode == 0 and (commit := _resolved(top, "FETCH_HEAD")):
            return commit
    raise BadTag(f"commit {ref} is neither in {top} nor at its origin. Push it first, or give another --ref")


def _meanings(top: str, ref: str) -> tuple[list[str], list[str]]:
    """What a ref may mean here, and what at origin: full names and hashes alone, so that nothing else is reached.

    Raises:
        BadTag
    """
    if ref == "HEAD":
        return [ref], []
    if _WHOLE_HASH.fullmatch(ref):
        return [ref], [ref]
    prefixes = ("",) if ref.startswith(_BRANCHES_AND_TAGS) else _BRANCHES_AND_TAGS
    names = [f"{prefix}{ref}" for prefix in prefixes]
    if (ref.startswith("refs/") and prefixes != ("",)) or any(
        git(top, "check-ref-format", name).returncode for name in names
    ):
        raise BadTag(f"'{ref}' is no branch, no tag and no commit's hash. Give one of these as --ref")
    tracked = [f"refs/remotes/{ref}"] if ref.startswith("origin/") else []
    return [*names, *tracked, *([ref] if _HASH.fullmatch(ref) else [])], names


def _resolved(top: str, name: str) -> str:
    answer = git(top, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    return answer.stdout.strip() if answer.returncode == 0 else ""
