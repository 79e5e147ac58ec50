"""The secrets of a release as it was deployed: read from the droplet, and remembered. It needs no Prefect."""

import shlex

from blocks.ssh.shell import RemoteShell
from flows.core.droplet.sections import section_script, sections
from flows.core.release.release import Release
from flows.core.secrets.masking import file_values
from flows.core.secrets.release_environment import environment_paths, own_values
from flows.tasks.runs.log_masking import register_secrets

_TIMEOUT_S = 60.0


def register_environment_secrets(session: RemoteShell, at: str, release: Release | None) -> None:
    """Remember what a release on the droplet was given: its environment block may hold other values by now.

    Args:
        at: the release's directory.
        release: what stands there; None: its document cannot be read.
    """
    paths = environment_paths(at, release)
    script = section_script({str(n): f"cat {shlex.quote(path)} 2>/dev/null" for n, path in enumerate(paths)})
    said = sections(session.run(script, timeout=_TIMEOUT_S).out)
    texts = [said.get(str(n), "") for n in range(len(paths))]
    found = (file_values(path, text) for path, text in zip(paths, texts, strict=True))
    register_secrets(set().union(*found), own_values(texts[0]))
