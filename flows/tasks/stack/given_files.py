"""Settles which mounted files come from the environment block, and with which modes."""

import os
import stat
from collections.abc import Collection
from pathlib import Path

from flows.core.secrets.credentials import KeyScanner, credential_by_content, credential_by_name
from flows.core.stack.files.shipped_files import StackFiles
from flows.core.stack.stack import inside
from flows.settings import Settings
from flows.tasks.stack.ignored import rules_above

# A mounted file that is not here has the mode that git would give it: whoever runs in a container can read it.
_UNKNOWN = 0o644
_READ = 1024 * 1024


def settle_given_files(sources: StackFiles, held: Collection[str], settings: Settings) -> StackFiles:
    """The files of a stack, with what comes from its environment block taken out of what ships.

    An env file inside of a mounted directory keeps the mode that it has here. A mounted file that looks like a
    credential, or that only the block holds, comes from the block too.

    Args:
        held: absolute paths of what the block holds.
    """
    mounted = (*sources.shipped, *sources.state)
    modes = {
        entry.path: _mode(entry.path)
        for entry in sources.environment_files
        if any(inside(entry.path, path) for path in mounted)
    }
    modes |= {path: _mode(path) for path in mounted if path in held and not os.path.lexists(path)}
    suspects = [path for path in mounted if path not in modes and os.path.isfile(path) and _looks_secret(path)]
    if suspects:
        project = os.path.dirname(sources.compose_files[0])
        rules = rules_above(suspects, sources.root, project, settings.ships)
        modes |= {path: _mode(path) for path in suspects if rules.left_out(path, directory=False) is not False}
    return sources.given(modes)


def _looks_secret(path: str) -> bool:
    name = os.path.basename(path)
    if credential_by_name(name):
        return True
    try:
        with Path(path).open("rb") as file:
            content = file.read(_READ)
    except OSError:
        return False  # what cannot be read is refused where it is listed
    keys = KeyScanner()
    keys.feed(content)
    return keys.found or bool(credential_by_content(name, content))


def _mode(path: str) -> int:
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        return _UNKNOWN
