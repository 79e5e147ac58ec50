"""Git on a checkout: what a commit holds is data to it, and starts no program of the commit's own."""

import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime

from flows.core.errors import BrokenStack
from flows.tasks.build_host import TIMED_OUT, own_environment

# A commit may hold what looks like a repository (HEAD, config, objects), whose config names programs; hooks and the
# file monitor of the checkout itself have no part in a release either. `safe.bareRepository`: git 2.38.
_SAFE = ("-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
# How the operator has set up git itself: where its logins and certificates are.
_GIT_OWN = ("GIT_CONFIG_", "GIT_SSH", "GIT_SSL_", "GIT_ASKPASS", "GIT_TERMINAL_PROMPT", "GIT_HTTP_PROXY_AUTHMETHOD")
_NO_CHECKOUT = "not a git repository"
NOT_INSTALLED = 127


def git(
    directory: str, *words: str, timeout: float = 60.0, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run git in a directory. Its exit code is the caller's to read; names keep their bytes (`os.fsencode`)."""
    argv = ["git", *_SAFE, "--literal-pathspecs", "-C", directory, *words]
    own = {name: value for name, value in os.environ.items() if name.startswith(_GIT_OWN)}
    try:
        done = subprocess.run(  # noqa: S603 — no shell; the one place that runs git, and safely
            argv,
            env=own_environment({**own, "LC_ALL": "C", **(env or {})}),
            capture_output=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(argv, NOT_INSTALLED, "", "git is not installed, or not on PATH")
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(argv, TIMED_OUT, "", f"git did not answer within {timeout:.0f} s")
    return subprocess.CompletedProcess(
        argv, done.returncode, os.fsdecode(done.stdout), done.stderr.decode(errors="replace")
    )


def checkout_of(directory: str) -> str:
    """The top of the git checkout that a directory is in; '' when it is in none.

    Raises:
        BrokenStack: it is in one, and git does not say.
    """
    while not os.path.isdir(directory):
        directory = os.path.dirname(directory)
    answer = git(directory, "rev-parse", "--show-toplevel")
    if answer.returncode == 0:
        return answer.stdout.removesuffix("\n")
    complaint = answer.stderr.strip()
    if _NO_CHECKOUT in complaint or not _below_git(directory):
        return ""
    raise BrokenStack(f"git cannot read the checkout that {directory} is in: {complaint}")


def commit_of(directory: str) -> str | None:
    """The commit that is checked out there; None where there is none."""
    answer = git(directory, "rev-parse", "--verify", "--quiet", "HEAD")
    return answer.stdout.strip() if answer.returncode == 0 else None


def commit_time(directory: str) -> str:
    """When the commit was made that is checked out there; ISO 8601, UTC; '' where there is none."""
    answer = git(directory, "show", "--no-patch", "--format=%cI", "HEAD")
    try:
        when: datetime = datetime.fromisoformat(answer.stdout.strip())
        return when.astimezone(UTC).isoformat(timespec="seconds")
    except ValueError:
        return ""


def _below_git(directory: str) -> bool:
    place = os.path.abspath(directory)
    while not os.path.lexists(os.path.join(place, ".git")):
        if place == os.path.dirname(place):
            return False
        place = os.path.dirname(place)
    return True
