"""Has the edge of a droplet serve what the releases of both colours expose."""

from prefect.logging import get_run_logger

from blocks.ssh.shell import RemoteShell
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.sections import section_script, sections
from flows.core.errors import BadRelease, EdgeMissing
from flows.core.release.bundle import DOCUMENT
from flows.core.release.release import Release, read_release
from flows.core.release.role import part_stack, whole_stack
from flows.core.traffic.colours import COLOURS, Colour
from flows.core.traffic.edge.hosts import refuse_taken_hosts
from flows.core.traffic.edge.site import Exposures, Site, exposures, site_routes
from flows.core.traffic.edge.view import refuse_taken_loopback
from flows.tasks.droplet.connection import QUICK
from flows.tasks.traffic.edge.sites import mark_release, put_site, read_edge


def site_of(session: RemoteShell, directory: str, release: Release, colour: Colour) -> Site:
    """The site of a stack once a colour has this release; the other colour has what stands there.

    Args:
        directory: Slipway's directory on the droplet.
        release: the colour's part of it.
    """
    stack = whole_stack(release.stack)
    parts = {c: StackDirectory(directory, part_stack(stack, c)).current for c in COLOURS if c != colour}
    script = section_script({c: f"cat {place}/{DOCUMENT} 2>/dev/null" for c, place in parts.items()})
    said = sections(session.run(script, timeout=QUICK).out)
    exposed: dict[str, Exposures] = {colour: exposures(release)}
    for other in parts:
        try:
            exposed[other] = exposures(read_release(said[other].encode())) if said.get(other) else {}
        except BadRelease:
            exposed[other] = {}  # its next release says it again
    return Site(stack, site_routes(stack, exposed))


def check_site(session: RemoteShell, directory: str, release: Release, colour: Colour) -> None:
    """Refuse a release that exposes what the edge serves for another stack, or by a port that another has, before
    anything is changed.

    Raises:
        HostTaken, PortTaken
    """
    site, view = site_of(session, directory, release, colour), read_edge(session, directory)
    refuse_taken_hosts(site, view.sites, session.address.name)
    refuse_taken_loopback(view, site, colour, session.address.name)


def serve(session: RemoteShell, directory: str, release: Release, colour: Colour) -> None:
    """Put the site in force where it differs, and name the colour's release. Without an edge that is only told: what
    serves the colours may be somebody's own.

    Raises:
        HostTaken, SiteRefused: what was in force is in force still.
    """
    site, log = site_of(session, directory, release, colour), get_run_logger()
    if not site.routes:
        log.warning("release %s exposes nothing, so the edge serves nothing of it (x-slipway.expose)", release.tag)
    try:
        if put_site(session, directory, site):
            log.info("✓ the edge serves %s", ", ".join(site.hosts) or "nothing more of it")
        mark_release(session, directory, site.stack, colour, release.tag)
    except EdgeMissing as error:
        log.warning("%s", error)
