"""The files that `slipway init` writes beside a compose file: settings, and the workflow of the CI."""

import re

from flows.core.control.ci.workflow import CiKind, ci_workflow

SETTINGS_FILE = "slipway.toml"
_GITLAB = re.compile(r"(?:^|[@/.])gitlab[.\w-]*[:/]", re.IGNORECASE)


def starting_settings() -> str:
    """The `slipway.toml` of a stack that has none: one destination, and what else may stand there."""
    return """\
# What Slipway reads beside the compose file. Every setting: docs/SETTINGS.md
version = 1

[destinations.production]
# The name of a Droplet block. Save it: slipway droplet add production --host ADDRESS --key-file PATH
droplet = "production"
# Two colours and a data home on that one droplet, instead of the line above:
# one_droplet = "production"
"""


def ci_kind(remote: str) -> CiKind:
    """The CI that a repository's remote has: `gitlab`, or `github` for all others."""
    return "gitlab" if _GITLAB.search(remote) else "github"


def ci_file(kind: CiKind, source: str, stack: str, *, promote: bool = False) -> tuple[str, str]:
    """The path, from the repository's root, and the text of the CI's workflow.

    Args:
        kind: as `ci_kind` says it.
        source, stack, promote: as `ci_workflow` takes them.

    Raises:
        BadParameter
    """
    path = ".gitlab-ci.yml" if kind == "gitlab" else ".github/workflows/release.yml"
    return path, ci_workflow(kind, source, "production", stack=stack, promote=promote)
