"""Private directories on the build host: what a killed run left of logins and secrets, the next run removes."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

# While a directory of this name is used, it is locked (as that of blocks/registry/container_registry.py is).
_OURS = "slipway-*.held"
# Seconds within which one that was just made is locked by its maker.
_YOUNG = 60


@contextmanager
def private_directory(purpose: str) -> Iterator[str]:
    """A directory that only this user can enter; removed at the end, or by a later run when this one is killed."""
    _sweep_once(tempfile.gettempdir())
    place = tempfile.mkdtemp(prefix=f"slipway-{purpose}-", suffix=".held")
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield os.path.realpath(place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
        os.close(descriptor)


def sweep(base: str) -> None:
    """Remove the private directories below `base` that nobody uses any more. What cannot be removed stays."""
    for place in Path(base).glob(_OURS):
        with suppress(OSError):
            descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                found = os.fstat(descriptor)
                if found.st_uid == os.getuid() and time.time() - found.st_ctime > _YOUNG:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(place)
            finally:
                os.close(descriptor)


@cache
def _sweep_once(base: str) -> None:
    sweep(base)
