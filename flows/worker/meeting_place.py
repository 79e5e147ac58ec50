"""Where a worker's template and a command in a terminal of the same user, code and interpreter meet."""

import hashlib
import os
import stat
import sys
from pathlib import Path

import flows

# A path of a socket has 107 characters at most, and 36 follow.
_LONGEST = 70
_ROOT = os.path.dirname(os.path.dirname(os.path.realpath(flows.__file__)))


def meeting_place() -> Path | None:
    """The directory of the sockets of this user's templates, made where it is missing.

    None: it is somebody else's, or its name is too long for a socket.
    """
    place = Path(os.environ.get("TMPDIR") or "/tmp") / f"slipway-{os.getuid()}"  # noqa: S108 — looked at below
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        found = place.lstat()
    except OSError:
        return None
    short = len(str(place)) <= _LONGEST
    ours = short and stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return place if ours else None


def mark() -> str:
    """What a template and a command have to have in common to meet: interpreter, code and groups."""
    words = (sys.executable, _ROOT, str(os.getgid()), *map(str, sorted(os.getgroups())))
    return hashlib.sha256("\0".join(words).encode(errors="surrogateescape")).hexdigest()[:16]
