"""The story of a release: gathered from droplets, the registry, Prefect and the reports; and its page."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

from blocks.errors import OutsideError
from flows.api.client import PrefectApi
from flows.api.timelines import read_timelines
from flows.core.errors import BlockMissing, SlipwayError
from flows.core.insight.comparison.contents import ReleaseContents
from flows.core.insight.comparison.differences import ReleaseDifferences, compare_releases
from flows.core.insight.story.story import (
    ReleaseStory,
    before_of,
    bundles_of,
    placements_of,
    release_story,
    run_ids,
)
from flows.core.insight.story.timeline import RunTimeline
from flows.core.records.history import History
from flows.settings import Settings
from flows.tasks.droplet.target import Target
from flows.tasks.insight.contents import CURRENT, ReleasesRead
from flows.tasks.insight.shell import masked, rendered
from flows.tasks.records.history import load_history
from flows.tasks.runs.blocks import load_droplet
from flows.tasks.runs.log_masking import mask

T = TypeVar("T")
_ROWS, _SPANS = 200, 500


def gather_story(stack: str, called: str, droplet: str | None, settings: Settings) -> ReleaseStory:
    """The story of a release. What cannot be asked is told in it, and ends nothing.

    Args:
        stack: the whole stack's name.
        called: its tag, `current`, or `current:DROPLET`.
        droplet: the one that `current` means.

    Raises:
        NothingKnown, NothingDeployed, BadTag
    """
    where, notes = ReleasesRead(stack, droplet, settings), list[str]()
    word = called.partition(":")[0]
    contents = where.read(called) if word == CURRENT else _told(notes, lambda: where.read(called))
    tag = contents.release.tag if contents else called
    placements = placements_of(tag, dict(_histories(stack, droplet or settings.deployed_to, settings, notes)))
    before = before_of(placements)
    differences = _told(notes, lambda: _differences(where, before, contents)) if before else None
    timelines = _told(notes, lambda: _timelines(run_ids(placements), notes)) or []
    names = _report_names(settings)
    return release_story(
        stack, tag, placements, contents, differences=differences, timelines=timelines,
        bundles=bundles_of(placements, names), notes=[*notes, *(contents.notes if contents else ())],
    )  # fmt: skip


def story_page(story: ReleaseStory) -> str:
    """The page of a story, as HTML. Words of others are masked and escaped."""
    made = datetime.now(UTC).isoformat(timespec="seconds")
    return rendered("story.html", story=masked(story), most=_ROWS, spans=_SPANS, made=made)


def _histories(stack: str, besides: str, settings: Settings, notes: list[str]) -> Iterator[tuple[str, History]]:
    for name in dict.fromkeys([*settings.shown, besides]):
        try:
            target = Target.of(load_droplet(name), settings.name_on(name, stack), settings)
            with target.connected() as session:
                history = load_history(session, target.directory)
        except BlockMissing:
            continue
        except (OutsideError, SlipwayError) as error:
            notes.append(f"{name} is not looked at: {mask(str(error))}")
            continue
        if history.damaged:
            notes.append(f"damaged records of {name} are left out: {', '.join(map(mask, history.damaged))}")
        yield name, history


def _differences(where: ReleasesRead, before: str, contents: ReleaseContents | None) -> ReleaseDifferences | None:
    return compare_releases(where.read(before), contents) if contents else None


def _timelines(ids: tuple[str, ...], notes: list[str]) -> list[RunTimeline]:
    if not ids:
        return []
    with PrefectApi() as api:
        found, gone = read_timelines(api, ids)
    if gone:
        notes.append(f"Prefect does not know {len(gone)} of its {len(ids)} runs any more")
    return found


def _report_names(settings: Settings) -> list[str]:
    try:
        return os.listdir(settings.reports)
    except OSError:
        return []


def _told(notes: list[str], work: Callable[[], T]) -> T | None:
    try:
        return work()
    except (OutsideError, SlipwayError) as error:
        notes.append(mask(str(error)))
        return None
