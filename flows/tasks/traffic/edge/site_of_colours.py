"""The site of a stack, as the releases of both colours on a droplet say it. It needs no Prefect."""

from blocks.ssh.shell import RemoteShell
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.sections import section_script, sections
from flows.core.errors import BadRelease
from flows.core.release.bundle import DOCUMENT
from flows.core.release.release import Release, read_release
from flows.core.release.role import part_stack, whole_stack
from flows.core.traffic.colours import COLOURS, Colour
from flows.core.traffic.edge.site import Exposures, Site, exposures, site_routes

_TIMEOUT_S = 60.0


def site_of(session: RemoteShell, directory: str, release: Release, colour: Colour) -> Site:
    """The site of a stack once a colour has this release; the other colour has what stands there.

    A colour that has nothing yet is served as this one: its first release then changes nothing, and a site that stays
    the same is no reload, by which idle connections may be reset.

    Args:
        directory: Slipway's directory on the droplet.
        release: the colour's part of it.
    """
    stack = whole_stack(release.stack)
    parts = {c: StackDirectory(directory, part_stack(stack, c)).current for c in COLOURS if c != colour}
    script = section_script({c: f"cat {place}/{DOCUMENT} 2>/dev/null" for c, place in parts.items()})
    said = sections(session.run(script, timeout=_TIMEOUT_S).out)
    exposed: dict[str, Exposures] = {colour: exposures(release)}
    for other in parts:
        try:
            exposed[other] = exposures(read_release(said[other].encode()) if said.get(other) else release)
        except BadRelease:
            exposed[other] = exposures(release)  # its next release says it itself
    return Site(stack, site_routes(stack, exposed))
