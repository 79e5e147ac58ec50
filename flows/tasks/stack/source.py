"""Reads a stack from its source on the build host."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.core.errors import BadTag, BrokenStack
from flows.core.registry.references import check_tag
from flows.core.stack.compose_versions import compose_needs, unknown_fields
from flows.core.stack.files.secret_modes import COPIES_NEED
from flows.core.stack.files.shipped_files import StackFiles, find_stack_files
from flows.core.stack.stack import Stack
from flows.settings import Settings
from flows.tasks.runs.declaration import task
from flows.tasks.runs.retries import ONCE
from flows.tasks.stack.checks import refuse_empty, release_checks
from flows.tasks.stack.git import checkout_of, commit_of, commit_time, git
from flows.tasks.stack.given_files import settle_given_files
from flows.tasks.stack.project import Project, find_compose_files, open_project
from flows.tasks.stack.reading import ComposeReader
from flows.tasks.stack.source_roots import refuse_outside


@dataclass(frozen=True)
class Source:
    """A stack as read from the build host: what Compose resolved, its files and texts, and its git commit."""

    stack: Stack
    sources: StackFiles
    texts: Mapping[str, str]
    config: Mapping[str, Any]
    given: tuple[str, ...]
    commit: str | None
    committed: str = ""

    @property
    def named_texts(self) -> dict[str, str]:
        """The texts by their files' names as messages say them."""
        return {self.sources.relative(path): text for path, text in self.texts.items()}

    @property
    def compose_needs(self) -> dict[str, str]:
        """Each field that not every Compose knows, with its place → the version that brought it."""
        needs = {f"`{need.field}` ({need.place})": need.version for need in compose_needs(self.named_texts)}
        copies = {f"secret {mount.secret} with several modes": COPIES_NEED for mount in self.sources.secret_copies}
        return {**needs, **copies}


@task(name="read stack", task_run_name="read the stack from {stack}", timeout_seconds=120, **ONCE)
def read_stack(
    stack: str,
    settings: Settings,
    registry_prefix: str,
    tag: str,
    variables: Mapping[str, str],
    files: Mapping[str, bytes],
) -> Source:
    """Read a stack, and refuse what cannot or must not be released.

    Args:
        variables, files: what its environment block holds; the files by their path from the compose file's directory.

    Raises:
        StackNotFound, BrokenStack, UnsetVariables, BadExtension, DevelopmentOnly, OutsideSource
    """
    reader = ComposeReader(settings, {**variables, "REGISTRY": registry_prefix, "IMAGE_TAG": tag})
    project = open_project(stack, settings, variables, reader)
    known = {os.path.normpath(os.path.join(project.directory, path)): content for path, content in files.items()}
    with _unknown_fields_named(project):
        config = project.read(reader, known)
    refuse_empty(stack, config)
    resolved = Stack.from_config(config)
    texts = project.texts
    sources = find_stack_files(
        resolved, project.directory, tuple(texts), project.entries, texts.values(), config.get("volumes")
    )
    sources = settle_given_files(sources, known, settings)
    refuse_outside(stack, sources, settings)
    for check in release_checks(resolved, sources, texts, config, bool(settings.shared_droplet)):
        check()
    commit, when = commit_of(project.directory), commit_time(project.directory)
    return Source(resolved, sources, texts, config, project.given, commit, when)


@contextmanager
def _unknown_fields_named(project: Project) -> Iterator[None]:
    """Say of a field that the Compose of this host does not know where it stands, and which Compose does."""
    try:
        yield
    except BrokenStack as error:
        names = {os.path.relpath(path, project.directory): text for path, text in project.texts.items()}
        raise BrokenStack(f"{error}{unknown_fields(str(error), compose_needs(names))}") from None


def default_tag(stack: str) -> str:
    """The short commit of the stack's git checkout; a dirty tree says so, with a hash of its changes.

    Raises:
        BadTag: outside git.
    """
    top = checkout_of(os.path.dirname(find_compose_files(stack)[0]))
    commit = _git(top, "rev-parse", "--short", "HEAD") if top and commit_of(top) else ""
    if not commit:
        raise BadTag(f"{stack} is in no git checkout with a commit, so there is no tag to take. Give --tag TAG")
    if not _git(top, "status", "--porcelain"):
        return commit
    return check_tag(f"{commit}-dirty-{_git_tree(top)[:8]}")


def _git_tree(top: str) -> str:
    """The hash of the tree as it lies there, untracked files included; the real index is not touched."""
    scratch = f"{os.path.join(top, _git(top, 'rev-parse', '--git-path', 'index'))}.slipway-{os.getpid()}"
    try:
        for words in (["read-tree", "HEAD"], ["add", "--all"]):
            _git(top, *words, index=scratch)
        return _git(top, "write-tree", index=scratch)
    finally:
        Path(scratch).unlink(missing_ok=True)


def _git(top: str, *words: str, index: str = "") -> str:
    answer = git(top, *words, env={"GIT_INDEX_FILE": index} if index else None)
    if answer.returncode != 0:
        raise BadTag(f"`git {words[0]}` in {top}: {answer.stderr.strip()}. Put that right, or give --tag TAG")
    return answer.stdout.strip()
