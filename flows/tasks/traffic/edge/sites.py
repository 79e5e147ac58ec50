"""Steps on what the edge serves: look at it, put a stack's site in force, name the release of a colour."""

from blocks.errors import RemoteFailed
from blocks.ssh.shell import RemoteShell
from flows.core.errors import EdgeMissing, SiteRefused
from flows.core.traffic.edge.hosts import refuse_taken_hosts
from flows.core.traffic.edge.places import EdgeDirectory
from flows.core.traffic.edge.site import Site
from flows.core.traffic.edge.site_scripts import CHANGED, NO_EDGE, REFUSED, mark_release_script, put_site_script
from flows.core.traffic.edge.view import EdgeView, edge_view_script, read_edge_view
from flows.tasks.droplet.connection import QUICK
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import masked_end
from flows.tasks.runs.retries import ONCE, RETRIED

# Caddy is asked, told, and told again where it refuses: a minute each at most.
_PUT = 240.0


@task(name="look at the edge", timeout_seconds=120, **RETRIED)
def read_edge(session: RemoteShell, directory: str) -> EdgeView:
    """The edge of a droplet as it is, and the sites it serves.

    Args:
        directory: Slipway's directory there.
    """
    return read_edge_view(session.run(edge_view_script(EdgeDirectory(directory)), timeout=QUICK).out)


@task(name="put the site in force", task_run_name="put the site of {site.stack} in force", timeout_seconds=360, **ONCE)
def put_site(session: RemoteShell, directory: str, site: Site) -> bool:
    """Have the edge serve a stack as its site says; returns whether that is another than before.

    Args:
        session: one that holds the droplet's lock.

    Raises:
        HostTaken, EdgeMissing, SiteRefused: what was in force is in force still.
    """
    refuse_taken_hosts(site, read_edge.fn(session, directory).sites, session.address.name)
    return _put(session, directory, site.stack, site.text())


@task(name="remove the site", task_run_name="remove the site of {stack}", timeout_seconds=360, **ONCE)
def remove_site(session: RemoteShell, directory: str, stack: str) -> bool:
    """Have the edge serve a stack no longer; returns whether it did before. Raises what `put_site` does."""
    return _put(session, directory, stack, "")


@task(name="name the release", task_run_name="name the release of {colour}: {tag}", timeout_seconds=120, **ONCE)
def mark_release(session: RemoteShell, directory: str, stack: str, colour: str, tag: str) -> bool:
    """Name the release that a colour has, for the edge's answers and its log; returns whether it was another."""
    done = session.run(mark_release_script(EdgeDirectory(directory), stack, colour, tag), timeout=QUICK)
    return done.out.split()[-1:] == [CHANGED]


def make_switch_place(session: RemoteShell, directory: str, stack: str) -> None:
    """Make the directory of a stack's traffic switch, so that it can be read and turned."""
    session.run(["mkdir", "-p", EdgeDirectory(directory).state(stack)], timeout=QUICK)


def _put(session: RemoteShell, directory: str, stack: str, text: str) -> bool:
    droplet = session.address.name
    command = put_site_script(EdgeDirectory(directory), stack)
    try:
        done = session.run(command, timeout=_PUT, stdin=text.encode())
    except RemoteFailed as error:
        if error.code == NO_EDGE:
            raise EdgeMissing(
                f"{session.address}: no edge runs there, so nothing serves {stack}. Nothing was changed. "
                f"Put it there: slipway edge setup {droplet}"
            ) from None
        if error.code == REFUSED:
            raise SiteRefused(
                f"{session.address}: Caddy refuses the site of {stack}: {masked_end(error.output)}. What it served "
                f"before is in force still. Look: slipway edge show {droplet}"
            ) from None
        raise
    return done.out.split()[-1:] == [CHANGED]
