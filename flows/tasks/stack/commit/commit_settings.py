"""The settings file of the commit that a run is about: read from git itself, before anything is checked out."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from flows.core.control.settings_file import LARGEST
from flows.core.errors import BadSettings
from flows.settings import Settings
from flows.settings.choice import CommitFile, chosen, current_choice
from flows.settings.files import FILE, decoded
from flows.tasks.stack.commit.checkout import resolved_commit
from flows.tasks.stack.git import checkout_of, git
from flows.tasks.stack.project import find_compose_files

_REGULAR = ("100644", "100755")


@contextmanager
def commit_settings(stack: str | None, ref: str | None) -> Iterator[None]:
    """Let settings be those of a commit of the stack: the settings file it has, not the one in the checkout.

    What the ref means is asked once: flows inside build the very commit whose settings hold.

    Args:
        ref: a branch, a tag, or a commit's hash; without one, nothing is changed.

    Raises:
        BadTag, StackNotFound
        BadSettings: the commit's file is a link, or too large.
    """
    now = current_choice().commit
    if not ref or (now and now.ref == ref):
        yield
        return
    with chosen(anywhere=True):
        place = stack or Settings().stack
        files = find_compose_files(place)
    top = checkout_of(os.path.dirname(files[0]))
    if not top:
        yield  # there is no commit to take; whoever checks it out says so
        return
    directory = os.path.dirname(os.path.relpath(os.path.realpath(files[0]), top))
    with chosen(commit=_file(top, directory, resolved_commit(top, ref), place, ref)):
        yield


def _file(top: str, directory: str, commit: str, stack: str, ref: str) -> CommitFile:
    for name in dict.fromkeys((os.path.join(directory, FILE), FILE)):
        told = f"{name} of commit {commit[:12]}"
        listed = git(top, "ls-tree", "-l", commit, "--", name)
        if listed.returncode != 0:
            raise BadSettings(f"{told}: git cannot read it: {listed.stderr.strip()}")
        if not listed.stdout:
            continue
        mode, kind, blob, size = listed.stdout.partition("\t")[0].split()
        if kind != "blob" or mode not in _REGULAR:
            raise BadSettings(f"{told}: is a link or a directory, and a settings file that comes with a stack is none")
        if int(size) > LARGEST:
            raise BadSettings(f"{told}: has more than {LARGEST:,} bytes, so it is no settings file")
        content = git(top, "cat-file", "blob", blob)
        if content.returncode != 0:
            raise BadSettings(f"{told}: git cannot read it: {content.stderr.strip()}")
        text = decoded(os.fsencode(content.stdout), told)
        return CommitFile(stack, ref, commit, name, text, os.path.realpath(os.path.join(top, name)))
    return CommitFile(stack, ref, commit, FILE, None, "")
