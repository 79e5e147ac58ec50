"""Files of ours on this host that a person reads: reports and debug bundles. Each appears whole, or not at all."""

import os
import stat
import tempfile
from pathlib import Path

from flows.core.errors import DirectoryNotOurs


def reports_directory(place: Path) -> Path:
    """The directory of the reports, made if there is none, for its owner alone.

    Raises:
        DirectoryNotOurs: somebody else could exchange what we write there.
    """
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    found, me = place.stat(), os.getuid()
    if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
        why = "can be written by everybody"
    elif me and found.st_uid not in (me, 0):
        why = "belongs to another user"
    else:
        return place
    raise DirectoryNotOurs(f"{place} {why}. Make it yours (`chmod o-w`, `chown`), or set SLIPWAY_REPORTS to another")


def write_report(place: Path, name: str, content: bytes | str, *, private: bool = False) -> Path:
    """Write a file into the directory of the reports, in place of one of that name; a link there is replaced.

    Args:
        private: it is readable by its owner alone.

    Raises:
        DirectoryNotOurs, OSError
    """
    descriptor, written = tempfile.mkstemp(prefix=".slipway-", dir=reports_directory(place))
    with os.fdopen(descriptor, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    if not private:
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(written, 0o666 & ~mask)
    os.replace(written, place / name)
    return place / name
