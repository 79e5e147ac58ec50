"""The edge of a droplet as it is: whether it runs, what it serves, and who listens at its ports."""

import json
import shlex
from dataclasses import dataclass, field

from flows.core.answers import reads
from flows.core.droplet.docker_commands import PROJECT_LABEL
from flows.core.droplet.sections import section_script, sections
from flows.core.errors import PortTaken
from flows.core.release.role import part_stack
from flows.core.traffic.colours import COLOURS, Colour
from flows.core.traffic.edge.places import HEAD, PROJECT, EdgeDirectory
from flows.core.traffic.edge.site import Site

PORTS = (80, 443)
_LISTENS = "0A"
_MOST = 200


@dataclass(frozen=True)
class SiteEntry:
    """A stack that the edge serves: its hosts, the colour that is active, and the release that each colour has."""

    stack: str
    hosts: tuple[str, ...]
    active: tuple[str, ...] = ()
    releases: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EdgeView:
    """What a droplet says of its edge.

    Args:
        image, mark, state: of the container that runs; '' without one.
        sites: what the edge is told to serve.
        listening: those of its ports that somebody listens at.
        published: port → the Compose project and the name of the container that Docker publishes it for.
        addresses: the droplet's own, as it knows them.
        email, tls: what the edge was told: who an authority writes to, and whether there is one (`acme`) or it
            certifies itself (`internal`); '' where it was told nothing yet.
    """

    image: str = ""
    mark: str = ""
    state: str = ""
    sites: tuple[SiteEntry, ...] = ()
    listening: frozenset[int] = frozenset()
    published: dict[int, tuple[str, str]] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    email: str = ""
    tls: str = ""

    @property
    def runs(self) -> bool:
        return bool(self.image)

    def owner(self, port: int, project: str) -> str:
        """Who has a port of the droplet, when it is not this project; '' for nobody."""
        theirs, container = self.published.get(port, ("", ""))
        if container:
            return "" if theirs == project else f"the container {container}"
        ours = project == PROJECT and self.runs  # it has the droplet's own network, so Docker publishes nothing for it
        if ours or port not in self.listening:
            return ""
        return f"a process of its own (`ss -ltnp 'sport = :{port}'` says which)"


def edge_view_script(directory: EdgeDirectory) -> str:
    """The script that prints all of it, and changes nothing."""
    at = shlex.quote(directory.path)
    ours = f"--filter label={PROJECT_LABEL}={PROJECT}"
    row = '{"image":{{json .Image}},"mark":{{json (.Label "slipway.edge")}},"state":{{json .Status}}}'
    published = '{"name":{{json .Names}},"project":{{json (.Label "' + PROJECT_LABEL + '")}},"ports":{{json .Ports}}}'
    states = (
        f"cd {at}/state 2>/dev/null && for file in */green */blue */release/green/* */release/blue/*; do "
        f'[ -f "$file" ] && printf \'%s\\n\' "$file"; done | head -n {_MOST * 4}'
    )
    return section_script(
        {
            "edge": f"docker ps {ours} --no-trunc --format {shlex.quote(row)} | head -n 1",
            "published": f"docker ps --no-trunc --format {shlex.quote(published)} | head -n 500",
            # Sockets that listen (proc_net_tcp(5)): the local address, and nothing else.
            "listening": "awk '$4 == \"0A\" { print $2, $4 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null | head -n 5000",
            "sites": f"head -qn 1 {at}/config/sites/*.caddy 2>/dev/null | head -n {_MOST}",
            "states": states,
            "addresses": "hostname -I 2>/dev/null | head -c 2000",
            "told": f"head -n 1 {at}/config/Caddyfile 2>/dev/null | head -c 1000",
        }
    )


@reads("what the droplet says of its edge")
def read_edge_view(output: str) -> EdgeView:
    """Parse the output of `edge_view_script`."""
    parts = sections(output)
    edge = json.loads(parts.get("edge") or "{}")
    states = parts.get("states", "").splitlines()
    told = json.loads(parts.get("told", "").removeprefix(HEAD) or "{}")
    heads = [line.removeprefix(HEAD) for line in parts.get("sites", "").splitlines() if line.startswith(HEAD)]
    return EdgeView(
        image=str(edge.get("image", "")),
        mark=str(edge.get("mark", "")),
        state=str(edge.get("state", "")),
        sites=tuple(_entry(json.loads(head), states) for head in heads),
        listening=_listening(parts.get("listening", "")),
        published=_published(parts.get("published", "")),
        addresses=tuple(parts.get("addresses", "").split()),
        email=str(told.get("email", "")),
        tls=str(told.get("tls", "")),
    )


def refuse_taken_ports(view: EdgeView, droplet: str, ports: tuple[int, ...] = PORTS) -> None:
    """Refuse a droplet on which somebody else has the edge's ports.

    Raises:
        PortTaken
    """
    for port in ports:
        if who := view.owner(port, PROJECT):
            raise PortTaken(
                f"{droplet}: port {port}, which the edge needs, is taken by {who}. Nothing was changed. Stop that, or "
                "let it be the edge: a Caddy of your own is a traffic switch too (docs/BLUE_GREEN_DEPLOYMENT.md)"
            )


def refuse_taken_loopback(view: EdgeView, site: Site, colour: Colour, droplet: str) -> None:
    """Refuse a colour whose loopback ports, by which the edge reaches it, somebody else has.

    Raises:
        PortTaken
    """
    for host, routes in site.routes.items():
        for port in (port for route in routes for port in route.ports.get(colour, ())):
            if who := view.owner(port, part_stack(site.stack, colour)):
                raise PortTaken(
                    f"{droplet}: port {port} of 127.0.0.1, by which the edge would reach {host} on {colour}, is taken "
                    f"by {who}. Nothing was changed. Stop that; where it is another stack's, give the service here "
                    "another name: its port follows from it"
                )


def _entry(head: dict[str, object], states: list[str]) -> SiteEntry:
    stack, hosts = head["stack"], head["hosts"]
    if not isinstance(stack, str) or not isinstance(hosts, list):
        raise ValueError("no head of a site")
    releases: dict[str, str] = {}
    for colour in COLOURS:
        tags = [line.rpartition("/")[2] for line in states if line.startswith(f"{stack}/release/{colour}/")]
        releases.update({colour: tags[0]} if tags else {})
    active = tuple(colour for colour in COLOURS if f"{stack}/{colour}" in states)
    return SiteEntry(stack, tuple(map(str, hosts)), active, releases)


def _listening(text: str) -> frozenset[int]:
    """Local ports, of rows such as `0100007F:0050 0A`."""
    rows = [line.split() for line in text.splitlines()]
    return frozenset(int(row[0].rpartition(":")[2], 16) for row in rows if len(row) == 2 and row[1] == _LISTENS)


def _published(text: str) -> dict[int, tuple[str, str]]:
    """Ports of the host, of what Docker prints: `0.0.0.0:80->8080/tcp, :::80->8080/tcp`, also in ranges."""
    found: dict[int, tuple[str, str]] = {}
    for line in text.splitlines():
        row = json.loads(line)
        for part in str(row["ports"]).split(","):
            published, arrow, inside = part.strip().partition("->")
            if arrow and inside.endswith("/tcp"):
                first, _, last = published.rpartition(":")[2].partition("-")
                ports = range(int(first), min(int(last or first), int(first) + _MOST) + 1)
                found = {port: (str(row["project"]), str(row["name"])) for port in ports} | found
    return found
