"""Ports and hosts that two colours on one droplet would both take, and what the edge cannot serve."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from flows.core.stack.service_fields import replicas
from flows.core.stack.side_by_side.facts import exposure, networks_of
from flows.core.stack.side_by_side.ports import WIDTH, loopback_ports

# A service, a field of it, a word that stands in it, and what is wrong with it.
Finding = tuple[str, str, str, str]
_SHOWN = 5
HOME = "let it run at home, once for both (x-slipway.data: home)"

_AT_HOME = (
    "exposes {name}, which runs at home: the edge turns from one colour to the other, and this service is the same for "
    "both. Take `data: home` away, or take `expose` away and give it a port of the droplet"
)
_NO_PORT = (
    "exposes {name}, which has no port of its own (`network_mode: {mode}`). Expose the service whose network it uses, "
    "or give it networks"
)
_INTERNAL = (
    "exposes {name}, which is on internal networks alone ({networks}): the engine publishes no port there. Put it on "
    "another network too"
)
_TOO_MANY = "runs {name} {replicas} times: the edge reaches {most} of a service at most. Run fewer"
_SAME_ADDRESS = "exposes {name} as {address}, as {other} is. Give one of them another host or path"
_SAME_PORTS = (
    "exposes {name}, whose ports for the edge, made of its name, are those of {other} too. Give one of the two "
    "services another name"
)
_PUBLISHED = (
    "publishes port {published} of the droplet for {name}{beside}: both colours would take it. Choose: {edge}{home}, "
    "or leave the droplet's port away (`{target}`), so that each colour gets one of its own"
)
_EDGE = "let the edge serve it (x-slipway.expose), "


def exposed_findings(config: Mapping[str, Any], home: Collection[str]) -> Iterator[Finding]:
    """What of `x-slipway.expose` the edge cannot serve."""
    addresses: dict[str, str] = {}
    ports: dict[int, str] = {}
    for name, spec in sorted(config["services"].items()):
        expose, count = exposure(spec), replicas(spec)
        if expose and name in home:
            yield name, "x-slipway", "expose", _AT_HOME.format(name=name)
        elif expose:
            yield from _unreachable(name, spec, config.get("networks") or {})
            if count > WIDTH:
                said = _TOO_MANY.format(name=name, replicas=count, most=WIDTH)
                yield name, "scale" if "scale" in spec else "deploy", str(count), said
            for host in expose.hosts:
                if (other := addresses.setdefault(host + expose.path, name)) != name:
                    said = _SAME_ADDRESS.format(name=name, address=host + expose.path, other=other)
                    yield name, "x-slipway", host, said
            if (other := ports.setdefault(loopback_ports(config["name"], name, "green")[0], name)) != name:
                yield name, "x-slipway", "expose", _SAME_PORTS.format(name=name, other=other)


def port_findings(config: Mapping[str, Any], home: Collection[str]) -> Iterator[Finding]:
    """The ports of the droplet that both colours would publish: those of a service at once, they may be a range."""
    for name, spec in config["services"].items():
        expose = exposure(spec)
        taken: dict[str, list[tuple[str, str]]] = {}
        for entry in spec.get("ports") or () if name not in home else ():
            published, target, protocol = str(entry.get("published") or ""), entry["target"], entry.get("protocol")
            http = protocol in (None, "tcp")
            if published not in ("", "0") and not (expose and http and int(target) == expose.port):
                inside = str(target) if http else f"{target}/{protocol}"
                taken.setdefault("tcp" if http else protocol, []).append((published, inside))
        for protocol, found in taken.items():
            said = _PUBLISHED.format(
                published=_listed([outside for outside, _ in found]),
                name=name,
                beside=f", beside port {expose.port}, which the edge serves" if expose else "",
                edge=_EDGE if protocol == "tcp" and not expose else "",
                home=HOME,
                target=_listed([inside for _, inside in found]),
            )
            yield name, "ports", found[0][0], said


def _listed(words: Sequence[str]) -> str:
    """The words, not more than a line takes."""
    left = len(words) - _SHOWN
    return ", ".join(words[:_SHOWN]) + (f" and {left} more" if left > 0 else "")


def _unreachable(name: str, spec: Mapping[str, Any], declared: Mapping[str, Any]) -> Iterator[Finding]:
    """What keeps the edge from the ports of a service."""
    mode, networks = str(spec.get("network_mode") or ""), networks_of(spec)
    inner = [key for key in networks if (declared.get(key) or {}).get("internal")]
    if mode.startswith("service:") or mode == "none":
        yield name, "network_mode", mode, _NO_PORT.format(name=name, mode=mode)
    elif inner and len(inner) == len(networks):
        yield name, "networks", inner[0], _INTERNAL.format(name=name, networks=", ".join(inner))
