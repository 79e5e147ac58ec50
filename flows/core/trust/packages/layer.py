"""What one layer of an image says of packages: the databases in it, and what it takes from the layers below.

Source: OCI image specification 1.1, "Image Layer Filesystem Changeset" (whiteouts, opaque directories).
"""

import gzip
import json
import re
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from flows.core.answers import reads

_DATABASE = re.compile(
    r"""
      (?P<whole> ^var/lib/dpkg/(?:status|status\.d/[^/]+)$ | ^(?:usr/)?lib/apk/db/installed$ )
    | (?P<small> ^(?:etc|usr/lib)/os-release$ | (?:^|/)node_modules/(?:@[^/]+/)?[^/]+/package\.json$ )
    | (?P<head>  \.dist-info/METADATA$ | \.egg-info/PKG-INFO$ | \.egg-info$ )
    | (?P<none>  ^(?:var/lib|usr/lib/sysimage)/rpm/(?:Packages(?:\.db)?|rpmdb\.sqlite)$ )
    """,
    re.VERBOSE,
)
_LAST_PARTS = ("status", "installed", "os-release", "package.json", "METADATA", "PKG-INFO")
# Bytes kept of a database, of a small file, and of one whose head is enough.
_MOST_KEPT = {"whole": 32 * 1024**2, "small": 1024**2, "head": 64 * 1024, "none": 0}
_LONGEST_PATH = 4096
_LARGEST_HEADER = 1024**2
_MOST_BYTES, _MOST_PATHS = 64 * 1024**2, 250_000
# Bytes of a layer when it is unpacked: what holds more is no layer that anybody runs.
_MOST_UNPACKED = 64 * 1024**3
_WITHOUT_HEADER = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE)
_PIECE = 256 * 1024
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_FORMAT = 1


@dataclass(frozen=True)
class LayerDatabases:
    """The package databases of one layer: path → content, and the paths below which lower layers count no more.

    Args:
        removed: files and directories of lower layers that it removes or puts something else in the place of.
        opaque: directories of which it hides all that lower layers have in them.
    """

    files: Mapping[str, bytes]
    removed: frozenset[str] = frozenset()
    opaque: frozenset[str] = frozenset()

    def hides(self, path: str) -> bool:
        """Whether it hides what a lower layer has at this path."""
        if path in self.removed:
            return True
        while path:
            path = path.rpartition("/")[0]  # '' is the root, which may be opaque
            if path in self.removed or path in self.opaque:
                return True
        return False


def databases_in(layers: Iterable[LayerDatabases]) -> dict[str, bytes]:
    """The databases of an image, from its layers, the lowest first."""
    found: dict[str, bytes] = {}
    for layer in layers:
        if layer.removed or layer.opaque:
            found = {path: content for path, content in found.items() if not layer.hides(path)}
        found |= layer.files
    return found


@reads("a layer of an image")
def read_layer(file: BinaryIO) -> LayerDatabases:
    """Read a layer, a tar archive or a gzip of one, as a stream: only its package databases are held.

    Raises:
        UnreadableAnswer: it is none, or too large in any respect.
    """
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    unpacked = _Limited(gzip.GzipFile(fileobj=file) if packed else file)
    found = _Found()
    try:
        with tarfile.open(
            fileobj=cast(BinaryIO, unpacked),
            mode="r|",
            bufsize=_PIECE,
            tarinfo=_PlainHeader,
            errors="surrogateescape",
        ) as tar:
            while (member := tar.next()) is not None:
                tar.members = []  # type: ignore[attr-defined]  # it would hold every one that it has read
                found.add(tar, member)
    except tarfile.TarError as error:
        raise ValueError(str(error)) from None
    return LayerDatabases(found.files, frozenset(found.removed), frozenset(found.opaque))


def dump_layer(layer: LayerDatabases) -> bytes:
    """A layer's databases as bytes to keep."""
    document = {
        "format": _FORMAT,
        "files": {path: content.decode("latin-1") for path, content in layer.files.items()},
        "removed": sorted(layer.removed),
        "opaque": sorted(layer.opaque),
    }
    return gzip.compress(json.dumps(document).encode(), 1, mtime=0)


@reads("a layer that was kept")
def load_layer(kept: bytes) -> LayerDatabases:
    """The layer's databases that `dump_layer` made these bytes of.

    Raises:
        UnreadableAnswer: it did not.
    """
    document = json.loads(gzip.decompress(kept))
    if document["format"] != _FORMAT:
        raise ValueError("another format")
    files = {str(path): str(content).encode("latin-1") for path, content in document["files"].items()}
    return LayerDatabases(files, frozenset(map(str, document["removed"])), frozenset(map(str, document["opaque"])))


def _kept_bytes(path: str, name: str, size: int) -> int | None:
    """How many bytes of a file are kept; None for one that is no package database, or larger than any is."""
    if (
        not name.endswith(".egg-info")
        and name not in _LAST_PARTS
        and "/dpkg/status.d/" not in path
        and "rpm" not in path
    ):
        return None
    found = _DATABASE.search(path)
    if found is None or found.lastgroup is None:
        return None
    most = _MOST_KEPT[found.lastgroup]
    if size > most and found.lastgroup == "whole":
        raise ValueError("a package database that is too large")
    return None if size > most and found.lastgroup == "small" else most


def _normal(name: str) -> str | None:
    """A member's path from the root of the image; None for one that leads out, or is too long to be any."""
    path = name.removeprefix("./").lstrip("/")
    if len(path) > _LONGEST_PATH or ".." in path.split("/"):
        return None
    return path.rstrip("/") or None


@dataclass
class _Found:
    files: dict[str, bytes] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    opaque: set[str] = field(default_factory=set)
    kept: int = 0

    def add(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Take one entry of the archive in."""
        path = _normal(member.name)
        if path is None or member.isdir():
            return
        parent, _, name = path.rpartition("/")
        if name == _OPAQUE:
            self.opaque.add(parent)
        elif name.startswith(_WHITEOUT):
            self.removed.add(f"{parent}/{name.removeprefix(_WHITEOUT)}".lstrip("/"))
        elif member.isreg():
            most = _kept_bytes(path, name, member.size)
            if most is not None and (source := tar.extractfile(member)):
                self.files[path] = source.read(most)
                self.kept += len(self.files[path])
        elif member.islnk():
            target = _normal(member.linkname)
            if target in self.files and _kept_bytes(path, name, 0) is not None:
                self.files[path] = self.files[target]
        else:
            self.removed.add(path)
        if self.kept > _MOST_BYTES or len(self.files) + len(self.removed) + len(self.opaque) > _MOST_PATHS:
            raise ValueError("too much")


class _PlainHeader(tarfile.TarInfo):
    """A header no longer than a name: tarfile reads what comes before a file whole, and some of it without an end."""

    def _proc_member(self, archive: Any) -> Any:
        if self.type not in _WITHOUT_HEADER and self.size > _LARGEST_HEADER:
            raise tarfile.ReadError("a header that is too large")
        return super()._proc_member(archive)  # type: ignore[misc]

    def _proc_gnusparse_10(self, *_: Any) -> None:
        raise tarfile.ReadError("a sparse file, which no layer has")


class _Limited:
    """A stream that ends with an error where it has given too much: a gzip can hold a thousand times its size."""

    def __init__(self, source: BinaryIO | gzip.GzipFile) -> None:
        self._source, self._left = source, _MOST_UNPACKED

    def read(self, size: int) -> bytes:
        piece = self._source.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise ValueError("it holds too much")
        return piece
