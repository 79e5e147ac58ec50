"""The bundle of a release: its own files as one gzipped tar, the same bytes for the same content."""

import gzip
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass

DOCUMENT = "release.json"
OVERRIDE = "override.yml"
FILES = "files"
SEED = "seed"


@dataclass(frozen=True)
class File:
    """One file: its content and permission bits."""

    content: bytes
    mode: int = 0o644


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
    """Unpack a bundle to path → file; anything but plain files below the root is left out."""
    files: dict[str, File] = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        for entry in tar:
            name = entry.name.removeprefix("./")
            if entry.isfile() and not name.startswith("/") and ".." not in name.split("/"):
                content = tar.extractfile(entry)
                files[name] = File(content.read() if content else b"", entry.mode)
    return files
