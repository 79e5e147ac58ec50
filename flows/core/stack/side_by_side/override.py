"""Parts of compose overrides by which the two colours of a stack and its data home run as projects of one droplet.

The compose files stay as they are; an override says what would collide again, for one project.
"""

from collections.abc import Collection, Mapping
from typing import Any

from flows.core.stack.compose_yaml import Override, Reset
from flows.core.stack.side_by_side.facts import Network, SideBySide
from flows.core.stack.side_by_side.ports import loopback_ports

_COLOURS = ("green", "blue")
# The name of a bridge on the droplet: Linux has each once, so a network that is made again gets one from the engine.
_BRIDGE = "com.docker.network.bridge.name"


def colour_network(stack: str, colour: str, key: str) -> str:
    """The name of a network that the data home makes for a colour."""
    return f"{stack}-{colour}_{key}"


def networks_from_home(facts: SideBySide, *, stack: str, colour: str) -> tuple[str, ...]:
    """The networks that must be there before the project of a colour starts: its data home's project makes them."""
    return tuple(colour_network(stack, colour, key) for key, network in facts.networks.items() if network.shared)


def colour_override(facts: SideBySide, *, stack: str, colour: str, services: Collection[str]) -> dict[str, Any]:
    """The part of an override with which a colour's project has nothing in common with the other's.

    Args:
        stack: its name, without a colour.
        services: those that run in the project.
    """
    said = {name: _coloured(facts, stack, colour, name) for name in sorted(services)}
    networks: dict[str, Any] = {}
    for key, network in facts.networks.items():
        if network.shared:
            networks[key] = Override({"name": colour_network(stack, colour, key), "external": True})
        elif network.colour and not network.external:
            dropped = {"driver_opts": {_BRIDGE: Reset()}} if _BRIDGE in network.driver_opts else {}
            networks[key] = {"name": _literal(_renamed(network.name, stack, colour, key)), **dropped}
    volumes = {key: {"name": _renamed(name, stack, colour, key)} for key, name in facts.volumes.items()}
    parts = {"services": {n: part for n, part in said.items() if part}, "networks": networks, "volumes": volumes}
    return {field: part for field, part in parts.items() if part}


def home_override(facts: SideBySide, *, stack: str, services: Collection[str]) -> dict[str, Any]:
    """The part of an override with which the data home makes the networks of both colours, and joins them.

    Args:
        stack: its name, without a colour.
        services: those that run in the project.
    """
    made: dict[str, Any] = {}
    joined: dict[str, dict[str, Any]] = {}
    for key, network in facts.networks.items():
        guests = [name for name in network.home if name in services] if network.shared else []
        for colour in _COLOURS if guests else ():
            mine = _free_key(facts, colour, key)
            made[mine] = {"name": colour_network(stack, colour, key), **_again(network)}
            for name in guests:
                # After its own networks: the first of them stays the one by which it reaches the world.
                entry = {"aliases": [_literal(alias) for alias in network.home[name]], "priority": -1}
                joined.setdefault(name, _own_networks(facts, name))[mine] = entry
    if not made:
        return {}
    return {"services": {n: {"networks": networks} for n, networks in sorted(joined.items())}, "networks": made}


def together(*overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Parts of one override as a whole; where two speak of one service, both count."""
    whole: dict[str, Any] = {}
    for override in overrides:
        for field, entries in override.items():
            known = whole.setdefault(field, {})
            for name, said in entries.items():
                known[name] = {**known[name], **said} if name in known else said
    return whole


def _coloured(facts: SideBySide, stack: str, colour: str, name: str) -> dict[str, Any]:
    """What is said of one service of a colour."""
    said: dict[str, Any] = {}
    if exposed := facts.exposed.get(name):
        ports = loopback_ports(stack, name, colour, exposed.replicas)
        published = str(ports[0]) if len(ports) == 1 else f"{ports[0]}-{ports[-1]}"
        entry = {"target": exposed.port, "published": published, "host_ip": "127.0.0.1", "protocol": "tcp"}
        said["ports"] = Override([{**entry, "mode": "ingress"}])
    if container := facts.containers.get(name):
        said["container_name"] = f"{container}-{colour}"
        on = [key for key, network in facts.networks.items() if name in network.colour]
        if on:
            said["networks"] = {key: {"aliases": [container]} for key in on}
    if name in facts.links:
        said["links"] = Override([_literal(link) for link in facts.links[name]])
    return said


def _renamed(name: str, stack: str, colour: str, key: str) -> str:
    """The name for a colour of what has this one in a project without.

    It is said in any case: a compose file may name explicitly what Compose would call it by itself.
    """
    return colour_network(stack, colour, key) if name == f"{stack}_{key}" else f"{name}-{colour}"


def _own_networks(facts: SideBySide, name: str) -> dict[str, Any]:
    """The networks that a service is on already: where it names none it is on `default`, until it names one."""
    return {key: {} for key, network in facts.networks.items() if name in network.home}


def _again(network: Network) -> dict[str, Any]:
    """The definition of a network that is to be as this one, without what there can be only one of."""
    options = {_literal(key): _literal(value) for key, value in network.driver_opts.items() if key != _BRIDGE}
    labels = {_literal(key): _literal(value) for key, value in network.labels.items()}
    said: Mapping[str, Any] = {
        "driver": network.driver,
        "driver_opts": options,
        "internal": network.internal,
        "attachable": network.attachable,
        "labels": labels,
    }
    ipv6 = {} if network.enable_ipv6 is None else {"enable_ipv6": network.enable_ipv6}
    return {**{field: value for field, value in said.items() if value}, **ipv6}


def _free_key(facts: SideBySide, colour: str, key: str) -> str:
    """A key for a network of a colour in the project of the data home, which no network of the stack has."""
    found = f"slipway-{colour}-{key}"
    while found in facts.networks:
        found = f"slipway-{found}"
    return found


def _literal(text: str) -> str:
    """A text that Compose would put variables into."""
    return text.replace("$", "$$")
