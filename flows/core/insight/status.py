"""The status of one droplet: the script that prints it, and its output as a value."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from flows.core.answers import MALFORMED, reads
from flows.core.droplet.asleep import SECTION, read_marker, sleep_sections
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.lock import holder_script, read_holder
from flows.core.droplet.running import ENGINE_SECTIONS, read_running, release_sections, running_sections
from flows.core.droplet.sections import section_script, sections
from flows.core.errors import BadRelease
from flows.core.records.storage import history_sections, read_records
from flows.core.release.release import Release, read_release
from flows.core.results import DropletStatus, service_states
from flows.core.traffic.colours import Colours


def status_script(directory: StackDirectory) -> str:
    """The script that prints which release a droplet runs, how its services are, and who changes it."""
    parts = {
        "release": release_sections(directory.current)["release"],
        "holder": holder_script(directory.directory),
        **history_sections(directory),
        **sleep_sections(directory),
        **running_sections(directory.stack),
    }
    return section_script(parts, ENGINE_SECTIONS)


@reads("what the droplet says of its release")
def read_status(output: str, stack: str) -> DropletStatus:
    """Parse the output of `status_script`; whether traffic reaches the droplet is not known there.

    Raises:
        ForeignRecord, NewerRecord
    """
    parts = sections(output)
    history, running = read_records(parts, stack), read_running(output)
    release, holder = _release(parts.get("release", "")), parts.get("holder", "").strip()
    asleep = read_marker(parts.get(SECTION, ""), history.current) is not None
    return DropletStatus(
        None,
        release.tag if release else None,
        service_states(running.containers, running.digests),
        record=history.deployed(),
        holder=str(read_holder(holder)) if holder else "",
        asleep=asleep and not any(container.state == "running" for container in running.containers),
    )


def with_traffic(
    seen: DropletStatus,
    droplet: str,
    colours: Colours,
    home: str,
    active: Collection[str] | None,
    shares: Mapping[str, int],
    *,
    alone: bool,
) -> DropletStatus:
    """The status of a droplet with its part in traffic.

    Args:
        home: the data home, which has no part in it.
        active: the colours (or droplets) that traffic reaches; None: nobody knows.
        shares: colour → percent of the clients, while a canary divides them.
        alone: there is no other droplet, so traffic can reach no other.
    """
    colour = colours.of(droplet)
    at_home = droplet == home and not colour
    known = (True if alone else None) if active is None else (colour or droplet) in active
    return replace(seen, active=None if at_home else known, home=at_home, share=shares.get(colour or ""))


def _release(document: str) -> Release | None:
    """The release of a document; None where there is none, or it cannot be read: a look goes on without it."""
    try:
        return read_release(document.encode()) if document else None
    except (BadRelease, *MALFORMED):
        return None
