"""The bundle of a release: its own files as one gzipped tar, the same bytes for the same content."""

import copy
import gzip
import io
import tarfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flows.core.answers import MALFORMED
from flows.core.errors import BadRelease
from flows.core.release.tree import Entry, Tree

DOCUMENT = "release.json"
OVERRIDE = "override.yml"
FILES = "files"
SEED = "seed"
TREE = "tree.json"
# Bytes of the files that a release brings in memory, unpacked. A release of version 0.1 has all of its files there.
LARGEST = 256 * 1024 * 1024


@dataclass(frozen=True)
class File:
    """One file: its content and permission bits."""

    content: bytes
    mode: int = 0o644


class ReleaseFiles(Mapping[str, File]):
    """The files of a release, by their name below its directory.

    Args:
        own: those that are in memory: document, override, compose files; of a release of version 0.1 all.
        tree: the mounted files that it brings, without their contents.
    """

    def __init__(self, own: Mapping[str, File], tree: Tree | None = None) -> None:
        self.own = dict(own)
        self.tree: Tree = tree or {}

    def with_own(self, own: Mapping[str, File]) -> "ReleaseFiles":
        """The same, with these among the files in memory."""
        other = copy.copy(self)
        other.own = {**self.own, **own}
        return other

    def contents(self, wanted: Collection[str]) -> Iterator[tuple[str, Entry, Iterator[bytes]]]:
        """The mounted files of these names, each with its content; each must be read before the next is asked for."""
        if wanted:
            raise KeyError(min(wanted))
        return iter(())

    def __getitem__(self, name: str) -> File:
        if name in self.own:
            return self.own[name]
        if name not in self.tree or self.tree[name].kind != "file":
            raise KeyError(name)
        return next(File(b"".join(content), entry.mode) for _, entry, content in self.contents([name]))

    def __iter__(self) -> Iterator[str]:
        yield from self.own
        yield from (name for name, entry in self.tree.items() if entry.kind == "file" and name not in self.own)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def pack(files: Mapping[str, File]) -> bytes:
    """Pack path → file into a bundle, without times and owners, so that equal releases have equal digests."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name].content)
            entry.mode = files[name].mode
            tar.addfile(entry, io.BytesIO(files[name].content))
    return gzip.compress(raw.getvalue(), mtime=0)


def unpack(data: bytes) -> dict[str, File]:
    """Unpack a bundle to path → file; anything but plain files below the root is left out.

    Raises:
        BadRelease: it is damaged, or larger than a release's own files can be.
    """
    files: dict[str, File] = {}
    limited: Any = _Limited(gzip.GzipFile(fileobj=io.BytesIO(data)))
    try:
        with tarfile.open(fileobj=limited, mode="r|") as tar:
            for entry in tar:
                name = entry.name.removeprefix("./")
                if entry.isfile() and not name.startswith("/") and ".." not in name.split("/"):
                    content = tar.extractfile(entry)
                    files[name] = File(content.read() if content else b"", entry.mode)
    except (tarfile.TarError, *MALFORMED) as error:
        raise BadRelease(f"the release's own files are damaged: {error}. Build and push this tag again") from None
    return files


class _Limited:
    """A stream that ends with an error where it holds more than a release's own files can be."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream, self._left = stream, LARGEST

    def read(self, size: int) -> bytes:
        piece = self._stream.read(min(size, self._left + 1))
        self._left -= len(piece)
        if self._left < 0:
            raise ValueError(f"they are larger than {LARGEST:,} bytes")
        return piece
