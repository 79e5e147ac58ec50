"""Has the edge of a droplet serve what the releases of both colours expose."""

from collections.abc import Sequence

import httpx
from prefect.logging import get_run_logger

from blocks.errors import OutsideError
from blocks.polling import until
from blocks.ssh.http import EdgeAddress, http_client
from blocks.ssh.shell import RemoteShell
from flows.core.errors import EdgeMissing
from flows.core.release.release import Release
from flows.core.traffic.colours import Colour
from flows.core.traffic.edge.hosts import refuse_taken_hosts
from flows.core.traffic.edge.site import Site
from flows.core.traffic.edge.view import EdgeView, refuse_taken_loopback
from flows.tasks.traffic.edge.addresses import told_before
from flows.tasks.traffic.edge.setup import edge_authority
from flows.tasks.traffic.edge.site_of_colours import site_of
from flows.tasks.traffic.edge.sites import mark_release, put_site, read_edge

# Seconds: an authority asks the edge itself before it certifies, and one answer of the edge.
_CERTIFIED, _ANSWER = 90.0, 10.0


def check_site(session: RemoteShell, directory: str, release: Release, colour: Colour) -> None:
    """Refuse a release that exposes what the edge serves for another stack, or by a port that another has, before
    anything is changed; tell why a host that is new would get no certificate.

    Raises:
        HostTaken, PortTaken
    """
    site, view = site_of(session, directory, release, colour), read_edge(session, directory)
    refuse_taken_hosts(site, view.sites, session.address.name)
    refuse_taken_loopback(view, site, colour, session.address.name)
    for warning in told_before(_new_hosts(site, view), session.address.host, view) if view.runs else ():
        get_run_logger().warning("before a certificate is asked for: %s", warning)


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
        new = _new_hosts(site, read_edge(session, directory))
        if put_site(session, directory, site):
            log.info("✓ the edge serves %s", ", ".join(site.hosts) or "nothing more of it")
        if without := await_certificates(session, new):
            log.warning(
                "%s: the edge has no certificate for it yet, and refuses clients until it has. It goes on asking; why "
                "it gets none says the log of its container on %s", ", ".join(without), session.address.name,
            )  # fmt: skip
        mark_release(session, directory, site.stack, colour, release.tag)
    except EdgeMissing as error:
        log.warning("%s", error)


def await_certificates(session: RemoteShell, hosts: Sequence[str]) -> list[str]:
    """Wait until the edge answers under each of these hosts by a certificate that is trusted, as long as an authority
    may take; the hosts for which it does not.
    """
    waiting = [host for host in hosts if not host.startswith("*.")]
    if not waiting:
        return []
    edge = EdgeAddress("127.0.0.1", 443, edge_authority(session))

    def look() -> list[str]:
        with http_client(session, timeout=_ANSWER, edge=edge) as client:
            return [host for host in waiting if not _answers(client, host)]

    return until(look, lambda without: not without, _CERTIFIED, pause=1.0, longest=5.0)


def _answers(client: httpx.Client, host: str) -> bool:
    try:
        client.get(f"https://{host}/.slipway/active")
    except (httpx.HTTPError, OutsideError):
        return False
    return True


def _new_hosts(site: Site, view: EdgeView) -> list[str]:
    """The hosts of a site that the edge has not served for its stack before."""
    known = {host for entry in view.sites if entry.stack == site.stack for host in entry.hosts}
    return [host for host in site.hosts if host not in known]
