"""The history as files on the droplet: the script that prints it, and the one that writes records."""

import base64
import io
import posixpath
import re
import shlex
import tarfile
from collections.abc import Iterable, Mapping

from flows.core.answers import reads, unpacked
from flows.core.droplet.directories import StackDirectory
from flows.core.records.history import History, read_history
from flows.core.records.record import Record

# How `tail -v` heads each file; a record's own lines never look like it.
_HEAD = re.compile(r"^==> (.+) <==$", re.MULTILINE)


def history_sections(directory: StackDirectory) -> dict[str, str]:
    """Section name → the command that prints it: the records, the release directories, the current one.

    A thousand records are 700 kB, and 32 kB packed; where nothing packs, they come as they are.
    """
    history, releases = shlex.quote(directory.history), shlex.quote(posixpath.join(directory.path, "releases"))
    said = "tail -v -n +1 -- *.json 2>/dev/null"
    able = "command -v gzip >/dev/null && command -v base64 >/dev/null"
    packed = f"if {able}; then {said} | gzip -1 | base64 -w 0; else {said}; fi"
    return {
        "history": f"cd {history} 2>/dev/null && {{ {packed}; }}",
        "kept": f"ls -1 {releases} 2>/dev/null",
        "name": f"readlink {shlex.quote(directory.current)}",
    }


@reads("the history of the droplet")
def read_records(parts: Mapping[str, str], stack: str) -> History:
    """Parse the sections of `history_sections`.

    Raises:
        ForeignRecord, NewerRecord
    """
    pieces = _HEAD.split(_unpacked(parts.get("history", "")))[1:]
    files = list(zip(pieces[::2], pieces[1::2], strict=True))
    kept = parts.get("kept", "").split()
    return read_history(files, kept, parts.get("name", "").strip().rsplit("/", 1)[-1], stack)


def _unpacked(text: str) -> str:
    if not text or text.startswith("==> "):
        return text
    return unpacked(base64.b64decode(text)).decode(errors="replace")


def records_tar(records: Iterable[Record]) -> bytes:
    """The records as a tar for `write_records`."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for record in records:
            entry = tarfile.TarInfo(record.file)
            entry.size, entry.mode = len(record.document()), 0o600
            tar.addfile(entry, io.BytesIO(record.document()))
    return raw.getvalue()


def write_records(directory: StackDirectory) -> str:
    """The script that writes the records of the tar on standard input; each appears whole or not at all."""
    history = shlex.quote(directory.history)
    return (
        f"set -eu; umask 077; mkdir -p {history}; cd {history}; rm -rf .new; mkdir .new; tar -xmf - -C .new; "
        'for f in .new/*; do mv "$f" .; done; rmdir .new'
    )
