"""Which files of the reports' directory go: by count and age, never those of a release that is good somewhere."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

METADATA = "push-docr-metadata"
_DAY = 86400.0


class ReportKind(Enum):
    """The kinds of files that we leave there in numbers. What is overwritten by the next one of its name stays."""

    BUNDLE = "debug bundle"
    METADATA = "release metadata"
    UNFINISHED = "half-written file"


_NAMES = {
    ReportKind.BUNDLE: re.compile(r"debug-[a-z0-9][a-z0-9._-]{0,200}-\d{8}T\d{6}\.\d{3}Z\.tar\.gz"),
    ReportKind.METADATA: re.compile(rf"{METADATA}-[A-Za-z0-9][A-Za-z0-9._-]*\.json"),
    ReportKind.UNFINISHED: re.compile(r"\.slipway-[a-z0-9_]{8}"),
}


@dataclass(frozen=True)
class ReportFile:
    """One regular file there, and when it was written (seconds since the epoch).

    Args:
        stack, tag: of metadata, the release that its content names.
    """

    name: str
    written: float
    stack: str = ""
    tag: str = ""


@dataclass(frozen=True)
class ExpiredReport:
    """A file that goes, and why."""

    name: str
    kind: ReportKind
    why: str


def report_kind(name: str) -> ReportKind | None:
    """The kind of a file by its name; None for one that is no business of ours, or that stays."""
    return next((kind for kind, pattern in _NAMES.items() if pattern.fullmatch(name)), None)


def metadata_name(stack: str, tag: str) -> str:
    """The name of a release's own metadata."""
    return f"{METADATA}-{stack}-{tag}.json"


def expired_reports(
    files: Iterable[ReportFile], good: Mapping[str, Collection[str]], *, keep: int, days: float, now: float
) -> list[ExpiredReport]:
    """The files that go. Of each kind the newest stays in any case.

    Args:
        good: stack → tags of the releases that are the last good ones on its droplets. Of a stack that is not among
            them nobody knows which those are, so that all its metadata stays.
        keep: how many of each kind stay at most.
        days: how old one may become.
    """
    kinds: dict[ReportKind, list[ReportFile]] = {}
    for file in files:
        if kind := report_kind(file.name):
            kinds.setdefault(kind, []).append(file)
    found = []
    for kind, some in kinds.items():
        newest_first = sorted(some, key=lambda file: (-file.written, file.name))
        for place, file in enumerate(newest_first):
            if (why := _why(kind, place, (now - file.written) / _DAY, keep, days)) and not _needed(kind, file, good):
                found.append(ExpiredReport(file.name, kind, why))
    return found


def _why(kind: ReportKind, place: int, age: float, keep: int, days: float) -> str:
    if kind is ReportKind.UNFINISHED:
        return "a run ended while it wrote it" if age > 1 else ""
    if place >= keep:
        return f"{keep} newer ones stay"
    return f"older than {days:g} days" if place and age > days else ""


def _needed(kind: ReportKind, file: ReportFile, good: Mapping[str, Collection[str]]) -> bool:
    """Whether it is of a release that is good, or may be; or is not the file that its name says."""
    if kind is not ReportKind.METADATA:
        return False
    named, known = file.name == metadata_name(file.stack, file.tag), good.get(file.stack)
    return not named or not known or file.tag in known


def with_good(good: Mapping[str, Mapping[str, str]], stack: str, droplet: str, tag: str) -> dict[str, dict[str, str]]:
    """Stack → droplet → its last good release, with one more."""
    return {**{name: dict(said) for name, said in good.items()}, stack: {**good.get(stack, {}), droplet: tag}}


def reports_rows(found: Sequence[ExpiredReport]) -> list[dict[str, object]]:
    """The files that go, as rows of a table."""
    return [{"": "goes", "kind": one.kind.value, "name": one.name, "why": one.why} for one in found]
