"""Keeps what the layers of images say of packages, so that a layer is read once, and not for each image and release."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from flows.core.errors import UnreadableAnswer
from flows.core.registry.references import is_digest
from flows.core.trust.packages.layer import LayerDatabases, dump_layer, load_layer

# Layers that are kept; those that were not asked for the longest go first.
_MOST = 500
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


class LayerCache:
    """Layers' databases by the digests of the layers. Where there is no directory of ours, nothing is kept.

    Args:
        directory: made where it is missing; not used when it is a link, another user's, or writable for others.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory if directory and _is_ours(directory) else None

    def get(self, digest: str) -> LayerDatabases | None:
        """The databases of a layer; None where they are not kept, or not whole."""
        if (place := self._place(digest)) is None:
            return None
        try:
            found = load_layer(place.read_bytes())
            os.utime(place)
        except (OSError, UnreadableAnswer):
            return None
        return found

    def put(self, digest: str, layer: LayerDatabases) -> None:
        """Keep a layer's databases. A full disk is no reason to end."""
        if (place := self._place(digest)) is None:
            return
        with suppress(OSError):
            descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=".")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(dump_layer(layer))
                os.replace(name, place)
            except OSError:
                os.unlink(name)

    def tidy(self) -> None:
        """Remove what was not asked for the longest, beyond the number that is kept."""
        if self._directory is None:
            return
        with suppress(OSError):
            for place in sorted(self._directory.iterdir(), key=lambda one: -one.stat().st_mtime)[_MOST:]:
                place.unlink()

    def _place(self, digest: str) -> Path | None:
        return self._directory / digest.replace(":", "-") if self._directory and is_digest(digest) else None


def layer_cache() -> LayerCache:
    """The cache of this user."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return LayerCache(Path(base, "slipway", "layers") if os.path.isabs(base) else None)


def _is_ours(directory: Path) -> bool:
    try:
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        found = [os.lstat(place) for place in (directory.parent, directory)]
    except OSError:
        return False
    return all(
        stat.S_ISDIR(one.st_mode) and one.st_uid == os.getuid() and not one.st_mode & _OTHERS_MAY_WRITE for one in found
    )
