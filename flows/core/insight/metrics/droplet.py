"""What one look at a droplet finds for the metrics: the script that prints it, and its output as a value."""

import shlex
from dataclasses import dataclass

from flows.core.answers import MALFORMED, reads
from flows.core.droplet.asleep import SECTION, read_marker, sleep_sections
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.lock import holder_script
from flows.core.droplet.running import release_sections
from flows.core.droplet.sections import section_script, sections
from flows.core.errors import BadRelease
from flows.core.records.history import History
from flows.core.records.storage import history_sections, read_records
from flows.core.release.release import Release, read_release


@dataclass(frozen=True)
class DropletLook:
    """What a droplet says.

    Args:
        history: None where it may not be read by who asks.
        release: the current one; None where there is none, or it cannot be read.
        locked: whether a run is changing it.
        asleep: whether its release was put to sleep.
    """

    history: History | None = None
    release: Release | None = None
    locked: bool = False
    asleep: bool = False


def metrics_script(directory: StackDirectory) -> str:
    """The script that prints it; the engine is not asked."""
    places = (directory.directory, directory.path, directory.history)
    closed = " || ".join(f"{{ [ -e {at} ] && ! [ -x {at} -a -r {at} ]; }}" for at in map(shlex.quote, places))
    return section_script({
        "closed": f"if {closed}; then echo closed; fi",
        "release": release_sections(directory.current)["release"],
        "holder": holder_script(directory.directory),
        **history_sections(directory),
        **sleep_sections(directory),
    })  # fmt: skip


@reads("what the droplet says of its releases")
def read_metrics_look(output: str, stack: str) -> DropletLook:
    """Parse the output of `metrics_script`.

    Raises:
        ForeignRecord, NewerRecord
    """
    parts = sections(output)
    held = bool(parts.get("holder", "").strip())
    if "history" not in parts or parts.get("closed"):
        return DropletLook(locked=held)
    history = read_records(parts, stack)
    asleep = read_marker(parts.get(SECTION, ""), history.current) is not None
    return DropletLook(history, _release(parts.get("release", "")), held, asleep)


def _release(document: str) -> Release | None:
    try:
        return read_release(document.encode()) if document else None
    except (BadRelease, *MALFORMED):
        return None
