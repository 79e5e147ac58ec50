"""Keeps and tells what was published: as a file, as a table in the UI, as an event, and as a trace in Langfuse."""

import json
import os
import time
from collections.abc import Mapping
from datetime import datetime
from secrets import token_hex
from typing import Any

from prefect import runtime
from prefect.logging import get_run_logger

from blocks.errors import OutsideError
from flows.core.control.events import PUBLISHED
from flows.core.prune.reports import METADATA, metadata_name
from flows.core.records.measurements import BuildTimes
from flows.core.records.measuring import build_times
from flows.core.registry.references import split_reference
from flows.core.release.release import Release
from flows.core.results import Published
from flows.settings import Settings
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import load_langfuse
from flows.tasks.runs.events import emit
from flows.tasks.runs.measuring import measuring
from flows.tasks.runs.reports import write_report

NEWEST_METADATA = f"{METADATA}.json"


def measure_build(release: Release, digests: Mapping[str, str], previous: Release | None) -> BuildTimes:
    """What building and pushing this release took in this run.

    Args:
        digests: reference → digest of what was built.
        previous: the release that was published before it.
    """
    pushed = {f"{split_reference(reference)[0]}@{digest}" for reference, digest in digests.items()}
    with measuring() as measured:
        measured.build = build_times(release, pushed & set(release.images), previous, measured.steps)
    return measured.build


def keep_published(published: Published, started: datetime, settings: Settings) -> None:
    """Keep what was pushed: as a file, as a table in the UI, as an event, and as a trace in Langfuse."""
    release = published.release
    metadata = {
        "stack": release.stack,
        "tag": release.tag,
        "previous_tag": published.previous,
        "commit": release.commit,
        "registry": release.registry,
        "digest": published.digest,
        "images": dict(release.services),
        "workflow_url": workflow_url(),
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(published.seconds, 2),
        "build": published.build.model_dump() if published.build else None,
    }
    own = metadata_name(release.stack, release.tag)
    for file in (own, NEWEST_METADATA):  # one for each release, and the newest under the name that scripts know
        write_report(settings.reports, file, json.dumps(metadata, indent=2) + "\n")
    rows: list[dict[str, Any]] = [{"service": name, "image": ref} for name, ref in sorted(release.services.items())]
    table(f"release-{release.stack}", rows, f"Release {release.tag} of {release.stack}")
    emit(PUBLISHED, stack=release.stack, tag=release.tag, digest=published.digest)
    _trace(metadata, started, settings)


def _trace(metadata: dict[str, Any], started: datetime, settings: Settings) -> None:
    langfuse = load_langfuse(settings)
    if langfuse is None:
        return
    attributes = {
        "langfuse.trace.name": "build-push",
        "langfuse.trace.tags": json.dumps(["slipway", metadata["stack"]]),
        "langfuse.observation.output": json.dumps(metadata),
        "langfuse.version": metadata["tag"],
    }
    try:
        langfuse.send_trace("build-push", token_hex(16), attributes, started.timestamp(), time.time())
    except OutsideError as error:
        get_run_logger().warning("the release is published, but its trace was not taken: %s", error)


def workflow_url() -> str:
    """Where the run that made this can be looked at: the CI run if there is one, else the Prefect run."""
    ci = [os.environ.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    return f"{ci[0]}/{ci[1]}/actions/runs/{ci[2]}" if all(ci) else str(runtime.flow_run.ui_url or "")
