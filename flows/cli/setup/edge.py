"""`slipway edge`: put the edge on a droplet, and look at it."""

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.app import SET_UP, app
from flows.cli.setup.saving import YesOption
from flows.cli.terminal.console import tell
from flows.cli.terminal.destination import CommandGroup
from flows.cli.terminal.runner import run_callable

if TYPE_CHECKING:
    from blocks import Droplet
    from flows.core.traffic.edge.caddyfile import Certificates
    from flows.core.traffic.edge.view import EdgeView

edge_app = CommandGroup(no_args_is_help=True, help="The edge: a Caddy on the droplet itself, in front of both colours.")
app.add_typer(edge_app, name="edge", rich_help_panel=SET_UP)

DropletArgument = Annotated[str, typer.Argument(metavar="[DROPLET]", help="Its block; default: the settings' droplet.")]


@edge_app.command("setup")
def slipway_edge_setup(
    droplet: DropletArgument = "",
    image: Annotated[str, typer.Option(help="Default: the one that is there, and at first caddy:2.")] = "",
    tls: Annotated[str, typer.Option(help="acme: an authority's certificates; internal: the edge's own.")] = "",
    email: Annotated[str, typer.Option(help="Who the authority writes to when one cannot be renewed.")] = "",
    stack: Annotated[str, typer.Option(help="Also save the traffic switch of this stack.")] = "",
    url: Annotated[str, typer.Option(help="For --stack: the address that clients use.")] = "",
    probe_path: Annotated[str, typer.Option(help="For --stack: GET path that is asked through it.")] = "/health",
    yes: YesOption = False,
) -> None:
    """Put an edge on a droplet, or bring it up to date. Certificates, sites and switches stay as they are."""
    if tls not in ("", "acme", "internal"):
        raise typer.BadParameter("acme or internal", param_hint="--tls")
    if bool(stack) != bool(url):
        raise typer.BadParameter("--stack and --url belong together: the stack, and the address that clients use")
    if "/" in stack:  # it becomes the name of a directory on the droplet, and of a block
        raise typer.BadParameter("the name of the stack, not the place of its compose file", param_hint="--stack")

    def setup() -> None:
        from flows.core.traffic.edge.caddyfile import EdgeSettings

        EdgeSettings(email)
        host = _load(droplet)
        if not yes and not typer.confirm(f"Put the edge on {host.address}, at its ports 80 and 443?"):
            tell("Nothing was changed.")
            raise typer.Exit(2)
        set_up_edge(host, image, email, _certificates(tls), stack, url, probe_path)

    run_callable(setup, quiet=True)


@edge_app.command("show")
def slipway_edge_show(droplet: DropletArgument = "") -> None:
    """Show the edge of a droplet: its image, the hosts of each stack, and which colour is active."""

    def show() -> None:
        from flows.core.errors import EdgeMissing
        from flows.tasks.traffic.edge.sites import read_edge

        host = _load(droplet)
        with host.session() as session:
            view = read_edge.fn(session, host.directory)
        if not view.runs and not view.sites:
            raise EdgeMissing(f"{host.address} has no edge. Put it there: slipway edge setup {host.name}")
        for line in edge_lines(view):
            tell(line)

    run_callable(show, quiet=True)


def edge_lines(view: "EdgeView") -> list[str]:
    """What an edge is, in lines for people."""
    source = {"acme": "from an authority (ACME)", "internal": "the edge's own"}.get(view.tls, "unknown")
    lines = [
        f"The edge: {view.image}, {view.state}." if view.runs else "The edge does not run.",
        f"Certificates: {source}{f', notices go to {view.email}' if view.email else ''}.",
    ]
    for site in view.sites:
        named = [f"{colour} has {site.releases[colour]}" for colour in ("green", "blue") if colour in site.releases]
        active = " and ".join(site.active) or "no colour"
        lines.append(f"{site.stack}: {active} active" + (f" ({', '.join(named)})" if named else ""))
        lines += [f"  https://{host}" for host in site.hosts]
    return lines if view.sites else [*lines, "No stack is served yet: slipway release --promote puts its site there."]


def set_up_edge(
    host: "Droplet",
    image: str = "",
    email: str = "",
    tls: "Certificates | None" = None,
    stack: str = "",
    url: str = "",
    probe_path: str = "/health",
) -> bool:
    """Put the edge there, and save the switch of a stack. Returns whether anything of the edge changed."""
    changed, authority = _set_up(host, image, email, tls, stack, url)
    if stack:
        _save_switch(host, stack, url, probe_path, authority)
    return changed


def _certificates(tls: str) -> "Certificates | None":
    return "acme" if tls == "acme" else "internal" if tls == "internal" else None


def _load(droplet: str) -> "Droplet":
    from flows.core.droplet.places import block_of
    from flows.settings import Settings
    from flows.tasks.runs.blocks import load_droplet

    return load_droplet(block_of(droplet or Settings().deployed_to))


def _set_up(
    host: "Droplet", image: str, email: str, tls: "Certificates | None", stack: str, url: str
) -> tuple[bool, str]:
    """Returns whether it changed, and the authority (PEM) of an edge that certifies itself, else an empty text."""
    from urllib.parse import urlsplit

    from flows.core.errors import BlockMissing
    from flows.settings import Settings
    from flows.tasks.droplet.connection import connected
    from flows.tasks.droplet.lock import locked
    from flows.tasks.runs.blocks import load_registry
    from flows.tasks.traffic.edge.addresses import told_before
    from flows.tasks.traffic.edge.setup import edge_authority, setup_edge
    from flows.tasks.traffic.edge.sites import make_switch_place, read_edge

    try:
        registry = load_registry(Settings())
    except BlockMissing:
        registry = None
    with connected(host) as session, locked(session, host.directory, "edge setup") as held:
        done = setup_edge.fn(held, host.directory, image, email, tls, registry)
        if stack:
            make_switch_place(held, host.directory, stack)
        view = read_edge.fn(held, host.directory)
        authority = edge_authority(held) if view.tls == "internal" else ""
    if not done.changed:
        tell(f"{host.address}: the edge is there, Caddy {done.version} of {done.image}. Nothing was changed.")
    elif done.before in ("", done.image):
        tell(f"{host.address}: the edge answers, Caddy {done.version} of {done.image}.")
    else:
        tell(f"{host.address}: the edge is Caddy {done.version} of {done.image} now; before: {done.before}.")
    named = urlsplit(url).hostname if stack else None
    for warning in told_before([named] if named else [], host.host, view):
        tell(f"Before a certificate is asked for: {warning}.")
    return done.changed, authority


def _save_switch(host: "Droplet", stack: str, url: str, probe_path: str, authority: str) -> None:
    from blocks import CaddySwitch
    from flows.core.traffic.edge.places import EdgeDirectory
    from flows.tasks.runs.block_names import block_name

    directory = EdgeDirectory(host.directory).state(stack)
    at = "127.0.0.1:443" if url.startswith("https:") else "127.0.0.1:80"
    name = f"{block_name(stack)}-edge"
    switch = CaddySwitch(
        url=url, host=host, directory=directory, probe_path=probe_path, probe_at=at, authority=authority
    )
    switch.save(name, overwrite=True)
    tell(f"Saved the traffic switch {name}: {url}, probed at {at} of {host.name}.")
    tell(f"Name it in the settings: SLIPWAY_SWITCH={name}")
