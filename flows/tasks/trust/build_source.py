"""Finds out which commit of which remote a release is built from."""

from flows.core.trust.provenance import BuildSource, public_remote
from flows.tasks.stack.git import git


def read_build_source(directory: str, commit: str | None) -> BuildSource:
    """The commit of the checkout at `directory`, its remote `origin`, and whether its tree has changes beside it."""
    if not commit:
        return BuildSource()
    remote = git(directory, "config", "--get", "remote.origin.url")
    status = git(directory, "status", "--porcelain")
    return BuildSource(
        commit,
        public_remote(remote.stdout) if remote.returncode == 0 else "",
        status.returncode != 0 or bool(status.stdout.strip()),
    )
