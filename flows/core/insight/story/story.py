"""The story of one release, from its commit to now, as its records, the registry and Prefect tell it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.core.errors import NothingKnown
from flows.core.insight.comparison.contents import ReleaseContents
from flows.core.insight.comparison.differences import ReleaseDifferences
from flows.core.insight.story.timeline import RunTimeline, seconds_between
from flows.core.records.history import History
from flows.core.records.measurements import Measurements
from flows.core.records.record import Record
from flows.core.registry.references import slug

_BUNDLE = re.compile(r"(?P<of>debug-.+)-(?P<at>[0-9]{8}T[0-9]{6})\.[0-9]{3}Z\.tar\.gz")


@dataclass(frozen=True)
class StoryService:
    """One service of the release: its image, and compressed bytes of it; None: not known."""

    service: str
    image: str
    size: int | None


@dataclass(frozen=True)
class Placement:
    """One time that the release was put on a droplet.

    Args:
        replaced: tag of what ran there before; '' for nothing, or not known.
        followed_by: tag of what was put there afterwards; '' for nothing yet.
        until: when that was put there; '' for never.
        runs: whether it is what stands there now.
    """

    droplet: str
    record: Record
    replaced: str
    followed_by: str
    until: str
    runs: bool

    @property
    def seconds(self) -> float | None:
        """From its beginning until its services were ready; None: not known."""
        return seconds_between(self.record.began, self.record.deployed)

    @property
    def measured(self) -> Measurements:
        """What was measured; of a record of before, nothing."""
        return self.record.measured or Measurements()

    def as_json(self) -> dict[str, Any]:
        return {
            "droplet": self.droplet, "seconds": self.seconds, "replaced": self.replaced or None,
            "followed_by": self.followed_by or None, "runs": self.runs, "record": self.record.model_dump(mode="json"),
        }  # fmt: skip


@dataclass(frozen=True)
class ReleaseStory:
    """The story of one release.

    Args:
        commit, committed: of which commit it is, and when that was made; '' if unknown.
        services: None: the release itself cannot be read any more.
        before: the tag that it is compared with.
        placements: the oldest first.
        timelines: of its runs, as far as Prefect still knows them.
        bundles: names of debug bundles of it in the reports.
        notes: what is not known, and why.
    """

    stack: str
    tag: str
    commit: str
    committed: str
    services: tuple[StoryService, ...] | None
    before: str
    differences: ReleaseDifferences | None
    placements: tuple[Placement, ...]
    timelines: tuple[RunTimeline, ...] = ()
    bundles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The story in one sentence."""
        if not self.placements:
            return f"Release {self.tag} of {self.stack} was put on no droplet."
        now = [one.droplet for one in self.placements if one.runs]
        where = f"runs on {', '.join(dict.fromkeys(now))}" if now else "runs nowhere now"
        droplets = len({one.droplet for one in self.placements})
        times = len(self.placements)
        counted = f"{times} time{'s' if times > 1 else ''} on {droplets} droplet{'s' if droplets > 1 else ''}"
        return f"Release {self.tag} of {self.stack} was put there {counted}, and {where}."

    @property
    def lead_seconds(self) -> float | None:
        """From the commit until clients first could reach it, as records say it; None: not known."""
        reached = [at for one in self.placements if (at := _reached(one))]
        return seconds_between(self.committed, min(reached)) if reached else None

    def as_json(self) -> dict[str, Any]:
        return {
            "stack": self.stack, "tag": self.tag, "commit": self.commit or None, "committed": self.committed or None,
            "lead_seconds": self.lead_seconds,
            "services": None if self.services is None else [vars(one) for one in self.services],
            "before": self.before or None, "differences": self.differences.as_json() if self.differences else None,
            "placements": [one.as_json() for one in self.placements],
            "runs": [one.as_json() for one in self.timelines], "bundles": list(self.bundles), "notes": list(self.notes),
        }  # fmt: skip


def placements_of(tag: str, histories: Mapping[str, History]) -> tuple[Placement, ...]:
    """Every time that a release was put on a droplet, the oldest first."""
    found = [one for droplet, history in histories.items() for one in _placed(tag, droplet, history)]
    return tuple(sorted(found, key=lambda one: (one.record.began, one.droplet, one.record.number)))


def release_story(
    stack: str,
    tag: str,
    placements: Sequence[Placement],
    contents: ReleaseContents | None,
    *,
    differences: ReleaseDifferences | None = None,
    timelines: Sequence[RunTimeline] = (),
    bundles: Sequence[str] = (),
    notes: Iterable[str] = (),
) -> ReleaseStory:
    """The story of a release.

    Args:
        contents: what it holds; None: it cannot be read any more.
        differences: from the one before it.
        timelines: of its runs.

    Raises:
        NothingKnown: no record and no registry has it.
    """
    if contents is None and not placements:
        raise NothingKnown(
            f"no droplet has a record of release {tag} of stack {stack}, and it cannot be read from the registry. "
            "What was deployed: slipway history"
        )
    commits = [one.record.commit for one in placements if one.record.commit]
    committed = [one.measured.committed for one in placements if one.measured.committed]
    release = contents.release if contents else None
    services = None
    if contents and release:
        services = tuple(StoryService(n, image, contents.size(n)) for n, image in sorted(release.services.items()))
    return ReleaseStory(
        stack,
        tag,
        next(iter([release.commit] if release and release.commit else commits), ""),
        min(committed, default=""),
        services,
        before_of(placements),
        differences,
        tuple(placements),
        tuple(timelines),
        tuple(bundles),
        tuple(dict.fromkeys([*notes, *_notes(placements)])),
    )


def before_of(placements: Sequence[Placement]) -> str:
    """The tag of what the release replaced first; '' for nothing, or not known."""
    return next((one.replaced for one in placements if one.replaced and one.replaced != one.record.tag), "")


def bundles_of(placements: Iterable[Placement], names: Iterable[str]) -> tuple[str, ...]:
    """The debug bundles that were taken of a release: of its stack and droplet, while it stood there.

    Args:
        names: of the files in the reports.
    """
    found = []
    for name in sorted(names):
        parts = _BUNDLE.fullmatch(name)
        if parts and any(
            slug(f"debug-{one.record.stack}-{one.droplet}") == parts["of"] and _within(one, _time_of(parts["at"]))
            for one in placements
        ):
            found.append(name)
    return tuple(found)


def _time_of(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:11]}:{text[11:13]}:{text[13:15]}+00:00"


def _within(one: Placement, at: str) -> bool:
    after = seconds_between(one.record.began, at) is not None
    return after and (not one.until or seconds_between(at, one.until) is not None)


def run_ids(placements: Iterable[Placement]) -> tuple[str, ...]:
    """The ids of the runs that put it there, each once."""
    return tuple(dict.fromkeys(one.record.run.id for one in placements if one.record.run.id))


def _placed(tag: str, droplet: str, history: History) -> Iterator[Placement]:
    now = history.deployed()
    for record, after in zip(history.records, (*history.records[1:], None), strict=False):
        if record.tag == tag:
            followed, until = (after.tag, after.began) if after else ("", "")
            yield Placement(droplet, record, record.previous_tag or "", followed, until, record == now)


def _reached(one: Placement) -> str:
    """When clients first could reach it: by a turn of traffic, or where there is none, once it was deployed."""
    return one.measured.turn.at if one.measured.turn else one.record.deployed or ""


def _notes(placements: Sequence[Placement]) -> Iterator[str]:
    if placements and all(one.record.measured is None for one in placements):
        yield "its records are of a version that measured nothing: what they do not hold is unknown"
    if by_hand := [one.droplet for one in placements if not one.record.run.id]:
        yield f"no run is on record that put it on {', '.join(dict.fromkeys(by_hand))}"
