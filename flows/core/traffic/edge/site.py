"""A stack's site at the edge: its hosts and paths as text for Caddy, by colour.

Caddy looks for a file named after the active colour, as at any edge (docs/BLUE_GREEN_DEPLOYMENT.md), so a turn reloads
nothing. A site changes only when a release exposes something else.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flows.core.errors import HostTaken
from flows.core.release.release import Release
from flows.core.stack.side_by_side.facts import Exposed
from flows.core.stack.side_by_side.ports import loopback_ports
from flows.core.traffic.edge.places import HEAD, LOG, STATE
from flows.core.traffic.edge.share import NO_SHARE, SHARE_PATH, share_expression

Exposures = Mapping[str, Exposed]
Routes = Mapping[str, tuple["EdgeRoute", ...]]
# Blue, green, and blue once more: a rename may fall between two looks.
_LOOKS = ("blue", "green", "blue")
COLOURS = ("green", "blue")
# No word of a site may mean anything else to Caddy.
_WORD = re.compile(r"[A-Za-z0-9._~/*-]+")
# Where answers are packed: never event streams, and nothing that is packed already.
_PACKED = (
    "application/javascript*", "application/json*", "application/xml*", "application/wasm*", "image/svg+xml*",
    "text/css*", "text/html*", "text/javascript*", "text/markdown*", "text/plain*", "text/xml*",
)  # fmt: skip


@dataclass(frozen=True)
class EdgeRoute:
    """A path of a host, and the loopback ports that answer there: those of each colour that exposes it."""

    path: str
    ports: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Site:
    """What the edge serves of one stack.

    Args:
        stack: its name, without a colour.
        routes: host → its paths.
    """

    stack: str
    routes: Routes

    def __post_init__(self) -> None:
        words = [self.stack, *self.routes, *(route.path for routes in self.routes.values() for route in routes)]
        for word in words:
            if not _WORD.fullmatch(word):
                raise ValueError(f"{word!r} cannot stand in a site of the edge")

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(sorted(self.routes))

    def text(self) -> str:
        """The site as Caddy reads it; the same for the same routes, in whatever order they came."""
        head = json.dumps({"stack": self.stack, "hosts": self.hosts}, sort_keys=True)
        parts = [f"{HEAD}{head}\n# Written by Slipway, and written anew when a release exposes something else.\n"]
        for number, (hosts, routes) in enumerate(self._alike()):
            parts += [_colour(self.stack, number, colour, routes) for colour in COLOURS]
            parts.append(self._block(number, hosts))
        return "\n".join(parts)

    def _alike(self) -> Iterator[tuple[tuple[str, ...], tuple[EdgeRoute, ...]]]:
        """Hosts whose routes are the same, and these; the longest path first."""
        found: dict[str, tuple[list[str], tuple[EdgeRoute, ...]]] = {}
        for host in self.hosts:
            routes = tuple(sorted(self.routes[host], key=lambda route: (-len(_prefix(route.path)), route.path)))
            found.setdefault(repr([(r.path, sorted(r.ports.items())) for r in routes]), ([], routes))[0].append(host)
        yield from ((tuple(hosts), routes) for hosts, routes in found.values())

    def _block(self, number: int, hosts: tuple[str, ...]) -> str:
        state = f"{STATE}/{self.stack}"
        turns = "\n".join(f"\t\thandle @{c} {{\n\t\t\timport {_snippet(self.stack, number, c)}\n\t\t}}" for c in _LOOKS)
        matchers = "\n".join(f"\t@{c} file {{\n\t\troot {state}\n\t\ttry_files /{c}\n\t}}" for c in ("blue", "green"))
        # Twice as well: one share's file may take another's place between the look and its use.
        shares = "\n".join(
            f"\t@share-{c} file {{\n\t\troot {state}\n\t\ttry_files{f' /canary-{c}-*' * 2}\n\t}}" for c in COLOURS
        )
        drawn = "\n".join(
            f"\t\troute @share-{c} {{\n\t\t\thandle @drawn {{\n\t\t\t\timport {_snippet(self.stack, number, c)}\n"
            "\t\t\t}\n\t\t}"
            for c in COLOURS
        )
        packed = "\n".join(f"\t\t\theader Content-Type {kind}" for kind in _PACKED)
        return f"""{", ".join(hosts)} {{
{matchers}
{shares}
	@drawn expression `{share_expression()}`
	log {{
		output file {LOG}/{self.stack}.log {{
			roll_size 20MiB
			roll_keep 5
		}}
		# What clients send as a login stays out of it, and so do queries, which may hold one.
		format filter {{
			wrap json
			fields {{
				request>headers delete
				request>uri regexp \\?.* ?...
				resp_headers>Location delete
			}}
		}}
	}}
	encode gzip {{
		match {{
{packed}
		}}
	}}
	route {{
		handle /.slipway/active {{
			route {{
				route @blue {{
					route @green {{
						respond @blue "both" 503
					}}
				}}
				respond @blue "blue" 200
				respond @green "green" 200
				respond @blue "blue" 200
				respond "none" 503
			}}
		}}
		handle {SHARE_PATH} {{
			respond @share-green "{{http.matchers.file.relative}}" 200
			respond @share-blue "{{http.matchers.file.relative}}" 200
			respond "{NO_SHARE}" 200
		}}
		# A share of the clients, while a release is tried on them; all others, and always else: the active colour.
{drawn}
{turns}
		respond "No colour of {self.stack} is active: the edge sends its requests nowhere." 503
	}}
}}
"""


def exposures(release: Release) -> Exposures:
    """What a release exposes."""
    return release.side_by_side.exposed if release.side_by_side else {}


def site_routes(stack: str, exposed: Mapping[str, Exposures]) -> Routes:
    """The routes of a stack: what each colour's release exposes.

    Args:
        exposed: colour → service → what it exposes.

    Raises:
        HostTaken: two services of a colour want the same path of a host.
    """
    found: dict[str, dict[str, dict[str, tuple[int, ...]]]] = {}
    owners: dict[tuple[str, str, str], str] = {}
    for colour, services in exposed.items():
        for service, expose in sorted(services.items()):
            for host in expose.hosts:
                path = _prefix(expose.path) or "/"
                other = owners.setdefault((colour, host, path.lower()), service)
                if other != service:
                    raise HostTaken(
                        f"the services {other} and {service} both expose {host}{path}. Give one of them another host "
                        "or another path (x-slipway.expose); the longest path that fits decides"
                    )
                ports = found.setdefault(host, {}).setdefault(path, {})
                ports[colour] = loopback_ports(stack, service, colour, expose.replicas)
    return {host: tuple(EdgeRoute(path, ports) for path, ports in paths.items()) for host, paths in found.items()}


def _prefix(path: str) -> str:
    """A path without its last slashes: `/api/` and `/api` mean the same, and `/` all."""
    return path.rstrip("/")


def _snippet(stack: str, number: int, colour: str) -> str:
    return f"slipway-{stack}-{number}-{colour}"


def _colour(stack: str, number: int, colour: str, routes: tuple[EdgeRoute, ...]) -> str:
    """What a colour serves. The headers are the edge's word alone, and stand in its own answers too."""
    release = f"{STATE}/{stack}/release/{colour}"
    served = "".join(_path(place, route, colour) for place, route in enumerate(routes) if route.ports.get(colour))
    return f"""({_snippet(stack, number, colour)}) {{
	@release file {{
		root {release}
		try_files /*
	}}
	@bodiless {{
		method GET HEAD OPTIONS
		not header Content-Length *
	}}
	route {{
		header X-Slipway-Colour {colour}
		header @release X-Slipway-Release {{http.matchers.file.relative}}
		header X-Slipway-Release ^/(.*)$ $1
{served}		respond "The release of {stack} that is active exposes nothing at this path." 404
	}}
}}
"""


def _path(place: int, route: EdgeRoute, colour: str) -> str:
    prefix = _prefix(route.path)
    upstreams = " ".join(f"127.0.0.1:{port}" for port in route.ports[colour])
    matcher = f"\t\t@path{place} path {prefix} {prefix}/*\n" if prefix else ""
    return f"""{matcher}		handle {f"@path{place} " if prefix else ""}{{
			reverse_proxy @bodiless {upstreams} {{
				import slipway-patient
			}}
			reverse_proxy {upstreams} {{
				import slipway-upstream
			}}
		}}
"""
