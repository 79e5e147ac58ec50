"""What a stack must pass before it is built. Each check refuses for one reason of its own, and changes nothing."""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from flows.core.errors import BrokenStack, MissingEnvironmentFile
from flows.core.stack.compose_files import locate
from flows.core.stack.files.shipped_files import EnvironmentFile, StackFiles
from flows.core.stack.refused.development import refuse_development
from flows.core.stack.refused.unsupported import refuse_unsupported
from flows.core.stack.side_by_side.refusals import refuse_shared
from flows.core.stack.stack import Stack

_SOURCE = {".py", ".js", ".ts", ".jsx", ".tsx", ".go", ".rb", ".php", ".java", ".kt", ".rs", ".cs", ".ex", ".scala"}


def release_checks(
    stack: Stack, sources: StackFiles, texts: Mapping[str, str], config: Mapping[str, Any], shared: bool = False
) -> tuple[Callable[[], None], ...]:
    """The checks of a stack that was read, in their order.

    Args:
        texts: absolute path of a compose file → its text.
        config: the stack as Compose resolved it.
        shared: both colours are to run on one droplet.
    """
    named = {sources.relative(path): text for path, text in texts.items()}
    return (
        partial(refuse_unsupported, config, named, shared),
        partial(refuse_development, stack, named, _holds_source, sources.host_paths),
        partial(refuse_absent_mounts, sources.shipped),
        *((partial(refuse_shared, config, partial(locate, named), sources.host_paths),) if shared else ()),
    )


def refuse_empty(stack: str, config: Mapping[str, Any]) -> None:
    """Refuse a stack without a service that is switched on.

    Raises:
        BrokenStack
    """
    if not config.get("services"):
        raise BrokenStack(
            f"{stack} has no services to release. Add one under `services:`, or switch a profile on (SLIPWAY_PROFILES)"
        )


def refuse_absent_mounts(paths: Iterable[str]) -> None:
    """Refuse mounts of what does not exist.

    Raises:
        BrokenStack
    """
    if missing := [path for path in paths if not os.path.exists(path)]:
        raise BrokenStack(f"the stack mounts {', '.join(missing)}, which does not exist. Add it, or remove the mount")


def refuse_absent_files(files: Iterable[EnvironmentFile]) -> None:
    """Refuse env files and secret files that are needed and not here; they have absolute paths.

    Raises:
        MissingEnvironmentFile
    """
    if missing := [entry.path for entry in files if entry.required and not os.path.isfile(entry.path)]:
        raise MissingEnvironmentFile(f"{', '.join(missing)}: needed by the stack and not here. Write it, and try again")


def _holds_source(path: str) -> bool:
    if os.path.isfile(path):
        return Path(path).suffix in _SOURCE
    return any(Path(name).suffix in _SOURCE for _, _, files in os.walk(path) for name in files)
