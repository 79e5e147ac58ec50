"""Git repositories that hold a stack."""

import shutil
import subprocess
from pathlib import Path


def git(directory: Path, *words: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    return subprocess.run(
        ["git", "-C", str(directory), *identity, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(directory: Path) -> str:
    """Commit everything; returns the short commit."""
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--allow-empty", "--message", "as it is")
    return git(directory, "rev-parse", "--short", "HEAD")


def checkout(source: Path, target: Path) -> Path:
    """A git repository of its own that holds a copy of a stack."""
    shutil.copytree(source, target)
    git(target, "init", "--quiet")
    commit(target)
    return target
