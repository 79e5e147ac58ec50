"""Labels that make a service restart whose mounted files changed: Compose itself does not look into a mount."""

from collections.abc import Callable, Iterable, Sequence

from flows.core.release.bundle import FILES
from flows.core.release.release import content_hash, streamed_hash
from flows.core.release.tree import Entry, Tree

# Version 0.1 shipped no more than this, and knew nothing but files of two modes.
_PLAIN_MODES = {"file": (0o644, 0o755), "directory": (0o755,)}
_PLAIN_BYTES = 64 * 1024 * 1024


def files_label(tree: Tree, names: Sequence[str], read: Callable[[str], Iterable[bytes]]) -> str:
    """A hash over all that a service finds in its mounts; '' when it finds no file there.

    Where version 0.1 would have shipped the same, it is the hash that version made, so that an upgrade restarts nothing
    that has not changed.

    Args:
        names: all that it mounts, in their order.
        read: returns a file's content.
    """
    entries = {name: tree[name] for name in names}
    if all(entry.kind == "directory" for entry in entries.values()):
        return ""
    if all(_is_plain(name, entry) for name, entry in entries.items()):
        files = {name: entry.size for name, entry in entries.items() if entry.kind == "file"}
        if sum(files.values()) <= _PLAIN_BYTES:
            return streamed_hash((name, size, read(name)) for name, size in files.items())
    return content_hash({name: _said(entry) for name, entry in entries.items()})


def _is_plain(name: str, entry: Entry) -> bool:
    return name.startswith(f"{FILES}/") and entry.mode in _PLAIN_MODES.get(entry.kind, ())


def _said(entry: Entry) -> bytes:
    return f"{entry.kind} {entry.mode:o} {entry.digest} {entry.target}".encode("utf-8", "surrogateescape")
