"""Files of ours on this host that a person reads: reports and debug bundles. Each appears whole, or not at all.

What is old goes at the end of a run that wrote there, and when somebody prunes: flows/core/prune/reports.py.
"""

import json
import os
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from prefect.logging import get_logger

from flows.core.errors import DirectoryNotOurs, SlipwayError
from flows.core.prune.reports import (
    ExpiredReport,
    ReportFile,
    ReportKind,
    expired_reports,
    report_kind,
    with_good,
)
from flows.settings import Settings
from flows.settings.choice import chosen

# Stack → droplet → its last good release: whose metadata stays.
GOOD_RELEASES = "good-releases.json"
_LARGEST = 1024 * 1024
_MOST = 100_000
_written: ContextVar[list[Path] | None] = ContextVar("slipway_reports_written", default=None)


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
    if (known := _written.get()) is not None:
        known.append(place)
    return place / name


@contextmanager
def tidied_reports() -> Iterator[None]:
    """Remove what is old from the reports at the end of what is inside, if it wrote there: once, by the outermost."""
    if _written.get() is not None:
        yield
        return
    written: list[Path] = []
    token = _written.set(written)
    try:
        yield
    finally:
        _written.reset(token)
        if written:
            _tidy_best_effort()


def remove_old_reports(settings: Settings, *, dry_run: bool = False) -> list[ExpiredReport]:
    """Remove the files of ours that are beyond `keep_reports` or older than `keep_reports_days`; they are logged first.

    No link is followed or removed, and no file of anybody else.

    Returns:
        What went; of a dry run, what would go.

    Raises:
        DirectoryNotOurs, OSError
    """
    place, log = settings.reports, get_logger("slipway.reports")
    if not place.is_dir():
        return []
    directory = os.open(reports_directory(place), os.O_RDONLY | os.O_DIRECTORY)
    try:
        good = {stack: set(said.values()) for stack, said in _good_releases(directory).items()}
        found = expired_reports(
            _files(directory), good, keep=settings.keep_reports, days=settings.keep_reports_days, now=time.time()
        )
        for one in found if not dry_run else ():
            log.info("%s goes: %s", place / one.name, one.why)
            with suppress(FileNotFoundError):
                os.unlink(one.name, dir_fd=directory)
    finally:
        os.close(directory)
    return found


def note_good_release(settings: Settings, stacks: set[str], droplet: str, tag: str) -> None:
    """Remember the last good release of a droplet, so that its metadata stays; where nothing is kept, nothing is noted.

    Args:
        stacks: the names that this stack may have in the metadata.
    """
    place = settings.reports
    if not tag or not place.is_dir():
        return
    with suppress(DirectoryNotOurs, OSError):
        directory = os.open(reports_directory(place), os.O_RDONLY | os.O_DIRECTORY)
        try:
            known = _good_releases(directory)
        finally:
            os.close(directory)
        new: Mapping[str, Mapping[str, str]] = known
        for stack in sorted(stacks):
            new = with_good(new, stack, droplet, tag)
        if new != known:
            write_report(place, GOOD_RELEASES, json.dumps(new, indent=2) + "\n")


def _tidy_best_effort() -> None:
    """What stands in the way is told, and the run counts all the same."""
    try:
        with chosen(anywhere=True):  # how long they are kept is the operator's to say, and of no commit
            remove_old_reports(Settings())
    except (SlipwayError, OSError, ValueError) as error:
        get_logger("slipway.reports").warning("old reports were not removed: %s", error)


def _files(directory: int) -> Iterator[ReportFile]:
    """The regular files of ours there."""
    with os.scandir(directory) as entries:
        names = [entry.name for _, entry in zip(range(_MOST), entries, strict=False)]
    for name in names:
        if (kind := report_kind(name)) is None:
            continue
        with suppress(OSError):
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid():
                said = _said(directory, name) if kind is ReportKind.METADATA else {}
                release = {key: value for key in ("stack", "tag") if isinstance(value := said.get(key), str)}
                yield ReportFile(name, found.st_mtime, **release)


def _good_releases(directory: int) -> dict[str, dict[str, str]]:
    said = _said(directory, GOOD_RELEASES)
    return {
        stack: {droplet: tag for droplet, tag in known.items() if isinstance(tag, str)}
        for stack, known in said.items()
        if isinstance(known, dict)
    }


def _said(directory: int, name: str) -> dict[str, object]:
    """The JSON object of a file; an empty one where it has none."""
    try:
        with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory), "rb") as file:
            found = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
