"""Tar archives as streams: written and read piece by piece, whatever their size. The same content, the same bytes."""

import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from flows.core.answers import MALFORMED
from flows.core.errors import BadRelease
from flows.core.release.tree import Entry

PIECE = 256 * 1024
_SAMPLE = 16 * 1024
_WORTH_PACKING = 0.9
_TYPES = {"link": tarfile.SYMTYPE, "directory": tarfile.DIRTYPE}
_ENCODING = ("utf-8", "surrogateescape")


@dataclass(frozen=True)
class Member:
    """One entry of an archive, and where a file's content comes from."""

    name: str
    entry: Entry
    content: Callable[[], Iterable[bytes]] = tuple


def held(content: bytes) -> Callable[[], Iterable[bytes]]:
    """The content of a member that is in memory."""
    return lambda: (content,)


def tar_stream(members: Iterable[Member]) -> Iterator[bytes]:
    """The archive of these members, piece by piece.

    Raises:
        ValueError: a content has not the length that its entry says.
    """
    for member in members:
        entry = member.entry
        info = tarfile.TarInfo(member.name)
        info.type = _TYPES.get(entry.kind, tarfile.REGTYPE)
        info.mode, info.mtime = entry.mode, entry.changed
        if entry.kind == "link":
            info.linkname = entry.target
        if info.isreg():
            info.size = entry.size
        yield info.tobuf(tarfile.GNU_FORMAT, *_ENCODING)  # which takes names of any bytes
        if info.isreg():
            sent = 0
            for piece in member.content():
                sent += len(piece)
                yield piece
            if sent != entry.size:
                raise ValueError(f"{member.name}: {sent} bytes, and not {entry.size}")
            yield bytes(-sent % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same as gzip, in members of a quarter of a megabyte each; what does not get smaller is only wrapped.

    Files that are packed already (images, archives) would take a second for each ten megabytes otherwise.
    """
    for piece in _gathered(pieces):
        sample = piece[:_SAMPLE]
        level = 1 if len(zlib.compress(sample, 1)) < len(sample) * _WORTH_PACKING else 0
        yield gzip.compress(piece, level, mtime=0)


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same in pieces of one size, the last one aside: where they are cut must not depend on how they came."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) >= PIECE:
            yield bytes(waiting[:PIECE])
            del waiting[:PIECE]
    yield bytes(waiting)


def read_archive(packed_tar: BinaryIO) -> Iterator[tuple[str, Callable[[], Iterator[bytes]]]]:
    """The files of a gzipped archive, in their order: name → content. Each must be read before the next.

    Raises:
        BadRelease: it is damaged, also while a content is read.
    """
    # tarfile's own "r|gz" ends after the first gzip member.
    with (
        _telling_damage(),
        gzip.GzipFile(fileobj=packed_tar) as plain,
        tarfile.open(fileobj=plain, mode="r|", bufsize=PIECE, encoding=_ENCODING[0], errors=_ENCODING[1]) as tar,
    ):
        for info in tar:
            if info.isreg():
                yield info.name, lambda tar=tar, info=info: _content(tar, info)  # type: ignore[misc]


def _content(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Iterator[bytes]:
    with _telling_damage():
        source = tar.extractfile(info)
        while source and (piece := source.read(PIECE)):
            yield piece


@contextmanager
def _telling_damage() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, *MALFORMED) as error:
        raise BadRelease(
            f"a layer of the release's files is damaged ({type(error).__name__}). Build and push this tag again"
        ) from None
