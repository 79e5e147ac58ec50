"""CI's own files: the job of GitHub and of GitLab that triggers a release for each commit of the main branch."""

import re
from typing import Literal

from flows.core.errors import BadParameter

CiKind = Literal["github", "gitlab"]
# The commits of the releases that are named beside them.
_SETUP_PYTHON = "actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0"
# Prefect is no part of what triggers a run: these alone are, and nothing else of the package is imported.
_INSTALL = (
    "python -m pip install --quiet 'httpx>=0.28.1,<0.29' 'pydantic>=2.12' 'typer>=0.29' 'rich>=14'",
    "python -m pip install --quiet --no-deps '@@SLIPWAY@@'",
)
_GITHUB = f"""\
# Starts the deployment `@@DEPLOYMENT@@` through the Prefect API for every push to @@BRANCH@@, and waits for its end.
# The work is done by the worker beside the build host; this job only asks and watches, and needs no Docker.
#
# Secrets: PREFECT_API_URL (https://…/api), PREFECT_API_AUTH_STRING (the server's PREFECT_SERVER_API_AUTH_STRING)
name: release

on:
  push:
    branches: ["@@BRANCH@@"]
  workflow_dispatch:

permissions: {{}}

concurrency:
  group: release@@GROUP@@
  cancel-in-progress: false

jobs:
  release:
    runs-on: ubuntu-latest
    timeout-minutes: 70
    steps:
      - uses: {_SETUP_PYTHON}
        with:
          python-version: "3.12"
      - name: Install what triggers a run
        run: |
          {_INSTALL[0]}
          {_INSTALL[1]}
      - name: Start the release, and wait for its end
        env:
          PREFECT_API_URL: ${{{{ secrets.PREFECT_API_URL }}}}
          PREFECT_API_AUTH_STRING: ${{{{ secrets.PREFECT_API_AUTH_STRING }}}}
        run: @@COMMAND@@
"""
_GITLAB = f"""\
# Starts the deployment `@@DEPLOYMENT@@` through the Prefect API for every push to @@BRANCH@@, and waits for its end.
# The work is done by the worker beside the build host; this job only asks and watches, and needs no Docker.
#
# Masked variables: PREFECT_API_URL (https://…/api), PREFECT_API_AUTH_STRING (the server's login, NAME:PASSWORD)
release:
  stage: deploy
  image: python:3.12-slim
  rules:
    - if: $CI_COMMIT_BRANCH == "@@BRANCH@@"
  resource_group: release@@GROUP@@
  timeout: 70 minutes
  variables:
    GIT_STRATEGY: none
  script:
    - {_INSTALL[0]}
    - {_INSTALL[1]}
    - @@COMMAND@@
  # 6: gave way to a newer release. 7: waits for a person. Neither is a failure of this commit.
  allow_failure:
    exit_codes: [6, 7]
"""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_STACK = re.compile(r"[A-Za-z0-9._/][A-Za-z0-9._/:-]*")
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,_/:@=+<>!#?&%~-]*")


def ci_workflow(
    kind: CiKind,
    source: str,
    destination: str | None = None,
    *,
    deployment: str = "release",
    branch: str = "main",
    stack: str = "",
    promote: bool = False,
) -> str:
    """The file `.github/workflows/release.yml`, or the job for `.gitlab-ci.yml`.

    Args:
        source: what pip installs Slipway from: a wheel's address, or `git+https://…@COMMIT`. There is no default: in a
            public index the name may be another's.
        destination: where releases go; None: where the deployment's own parameters say.
        branch: whose commits are released.
        stack: the compose file or its directory, from the root; '': as the deployment's own parameters say.
        promote: to the idle colour, and traffic after it.

    Raises:
        BadParameter: a name that would be more than a word in the file.
    """
    for what, word in {"destination": destination or "x", "deployment": deployment, "branch": branch}.items():
        if not _NAME.fullmatch(word):
            raise BadParameter(f"{what} {word!r}: letters, digits and . _ / - make a name here")
    if stack and not _STACK.fullmatch(stack):
        raise BadParameter(f"stack {stack!r}: letters, digits and . _ / : - make a path here")
    if not _SOURCE.fullmatch(source):
        raise BadParameter(f"source {source!r}: pip takes no such requirement here")
    command = f"slipway-trigger {deployment}" + (f" --destination {destination}" if destination else "")
    # Where it goes says the destination, and not the deployment's own parameter.
    command += f" -p stack={stack} -p droplet=null" if stack else ""
    command += " -p promote=true" if promote else ""
    text = _GITHUB if kind == "github" else _GITLAB
    group = f"-{destination.replace('/', '-')}" if destination else ""
    values = {"COMMAND": command, "DEPLOYMENT": deployment, "BRANCH": branch, "GROUP": group, "SLIPWAY": source}
    return re.sub(r"@@([A-Z]+)@@", lambda found: values[found[1]], text)
