"""The log of a CI job: groups and errors as GitHub and GitLab show them, and words of others that command nothing.

Sources: https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions,
https://docs.gitlab.com/ci/jobs/job_logs/
"""

import re
from collections.abc import Mapping

from flows.core.quotation import without_controls

_ERASE = "\x1b[0K"
# `::name::` begins a line for a runner; `##[name]` is its older form, and is taken anywhere in one.
_COMMAND = re.compile(r"^([^\S\n]*+)::|##\[", re.MULTILINE)


class PlainLog:
    """Lines for a terminal, or for a CI that has no commands in its log."""

    def line(self, text: str) -> str:
        """Words, of others too, as lines that command nothing."""
        plain = without_controls(text)
        return _COMMAND.sub(lambda found: "## [" if found[1] is None else f"{found[1]}: :", plain)

    def error(self, text: str) -> str:
        """Words about what went wrong."""
        return self.line(text)

    def begin(self, title: str, at: int) -> str:
        """The line that opens a group; '' where there is none.

        Args:
            at: seconds since 1970.
        """
        return ""

    def end(self, at: int) -> str:
        """The line that closes the group; '' where there is none."""
        return ""


class GitHubLog(PlainLog):
    """Lines for the log of GitHub Actions."""

    def error(self, text: str) -> str:
        """An annotation of the job."""
        return f"::error::{self._data(text)}"

    def begin(self, title: str, at: int) -> str:
        """Open a group that can be folded."""
        return f"::group::{self._data(title)}"

    def end(self, at: int) -> str:
        """Close it."""
        return "::endgroup::"

    def _data(self, text: str) -> str:
        plain = self.line(text)
        return plain.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


class GitLabLog(PlainLog):
    """Lines for the log of GitLab CI."""

    def begin(self, title: str, at: int) -> str:
        """Open a section that can be folded."""
        return f"{_ERASE}section_start:{at}:slipway_run\r{_ERASE}{' '.join(self.line(title).split())}"

    def end(self, at: int) -> str:
        """Close it."""
        return f"{_ERASE}section_end:{at}:slipway_run\r{_ERASE}"


def ci_log(environ: Mapping[str, str]) -> PlainLog:
    """The log that this environment has."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return GitHubLog()
    return GitLabLog() if environ.get("GITLAB_CI") == "true" else PlainLog()


def ci_commit(environ: Mapping[str, str]) -> str | None:
    """The commit that the CI job is about."""
    return environ.get("GITHUB_SHA") or environ.get("CI_COMMIT_SHA") or None
