"""What ties two colours on one droplet together: namespaces, networks and data that both would use."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from flows.core.stack.service_fields import ties
from flows.core.stack.side_by_side.facts import linked, mounted_volumes, networks_of
from flows.core.stack.side_by_side.ports_taken import HOME, Finding

_STATIC = ("ipv4_address", "ipv6_address", "mac_address")
_ON_THE_LAN = ("macvlan", "ipvlan")
_REMOTE = ("nfs", "nfs4", "cifs")
_CONTAINER = "container:"

_APART = (
    "ties {name} to {other} (`{field}: {word}`): one runs at home, the other in the colours, so in projects of their "
    "own. Say `data: home` beside both or neither"
)
_OF_THE_DROPLET = (
    "gives {name} the network of the droplet: both colours would listen on the same ports. Give it networks of its "
    f"own, or {HOME}"
)
_ONE_CONTAINER = (
    "ties {name} to one container (`{field}: {word}`), which both colours would use. "
    f"Name a service of the stack, or {HOME}"
)
_CALLED = "has {name} call {other} by the name {alias}, which means {taken} to others. Call it by another name"
_ADDRESS = (
    "gives {name} the address {address}, which both colours would have. Take it away: services find each other by "
    "their names"
)
_MADE_ELSEWHERE = (
    "puts {name} on network {key}, which is made elsewhere (`external: true`): both colours would be on it under the "
    f"same names. Take `external` away, or {HOME}"
)
_LAN = (
    "puts {name} on network {key} of the driver {driver}: the droplet's network card takes one of each. "
    f"Use a bridge, or {HOME}"
)
_SUBNETS = (
    "puts {name} on network {key} with the addresses {subnets}, which both colours would have. Take `ipam` away: each "
    "colour then gets a range of its own"
)
_EXTERNAL = (
    "lets {name} write to volume {volume}, which is made elsewhere (`external: true`), so there is one for both "
    f"colours. Mount it read-only, take `external` away, or {HOME}"
)
_TWO_HALVES = (
    "mounts volume {volume} into {name}, which a service at home mounts too: the home has one and each colour has one, "
    "and none sees what another wrote. Say `data: home` beside both"
)
_EXTENSION = (
    "mounts volume {volume} into {name}: Compose takes a name with `x-` for an extension where another file adds to "
    "it. Give it another name"
)
_NOT_ITS_OWN = (
    "gives {what} of the droplet to {name}, which is to have data of its own in each colour (data: per-colour): there "
    f"is one for both. Use a named volume, {HOME}, or say `data: disposable` if both may write there"
)


def tie_findings(config: Mapping[str, Any], home: Collection[str]) -> Iterator[Finding]:
    """What a service shares with the droplet, with one container, or with a service of the other role."""
    specs: Mapping[str, Any] = config["services"]
    called: dict[str, str] = {}
    for name, spec in specs.items():
        for field, word, other in ties(spec):
            apart = other in specs and (other in home) != (name in home) and field != "build"
            # What a colour links to at home, it finds there by the same name.
            if apart and not (field == "links" and other in home):
                yield name, field, word, _APART.format(name=name, other=other, field=field, word=word)
        if name not in home:
            yield from _outside(name, spec)
            for link in spec.get("links") or ():
                other, alias = linked(link)
                taken = (alias if alias in specs else called.setdefault(alias, other)) if other in home else other
                if taken != other:
                    yield name, "links", link, _CALLED.format(name=name, other=other, alias=alias, taken=taken)


def network_findings(config: Mapping[str, Any], home: Collection[str]) -> Iterator[Finding]:
    """Networks that both colours would be on, and addresses that both would have."""
    declared = config.get("networks") or {}
    told: set[str] = set()
    for name, spec in config["services"].items():
        if name in home:
            continue
        if address := spec.get("mac_address"):
            yield name, "mac_address", str(address), _ADDRESS.format(name=name, address=address)
        for key, said in networks_of(spec).items():
            for address in (said[field] for field in _STATIC if said.get(field)):
                yield name, "networks", str(address), _ADDRESS.format(name=name, address=f"{address} on {key}")
            if key not in told:
                told.add(key)
                yield from _of_network(name, key, declared.get(key) or {})


def data_findings(config: Mapping[str, Any], home: Collection[str], host_paths: Collection[str]) -> Iterator[Finding]:
    """Data that both colours would write, and data that one part of the stack would not see of another."""
    declared = config.get("volumes") or {}
    there = {volume for name in home for volume in mounted_volumes(config["services"][name])}
    for name, spec in config["services"].items():
        if name in home:
            continue
        own = (spec.get("x-slipway") or {}).get("data") == "per-colour"
        for volume, written in mounted_volumes(spec).items():
            definition = declared.get(volume) or {}
            if definition.get("external"):
                if written:
                    yield name, "volumes", volume, _EXTERNAL.format(name=name, volume=volume)
            elif volume in there:
                yield name, "volumes", volume, _TWO_HALVES.format(name=name, volume=volume)
            elif volume.startswith("x-"):
                yield name, "volumes", volume, _EXTENSION.format(name=name, volume=volume)
            elif written and own and _same_place(definition, host_paths):
                yield name, "volumes", volume, _NOT_ITS_OWN.format(name=name, what=f"volume {volume}")
        for mount in spec.get("volumes") or () if own else ():
            if mount.get("type") == "bind" and mount.get("source") in host_paths and not mount.get("read_only"):
                yield name, "volumes", mount["source"], _NOT_ITS_OWN.format(name=name, what=mount["source"])


def _outside(name: str, spec: Mapping[str, Any]) -> Iterator[Finding]:
    """What of the droplet or of a container a service uses as its own."""
    if spec.get("network_mode") == "host":
        yield name, "network_mode", "host", _OF_THE_DROPLET.format(name=name)
    words = [(field, str(spec.get(field) or "")) for field in ("network_mode", "ipc", "pid")]
    for field, word in (*words, *(("volumes_from", str(word)) for word in spec.get("volumes_from") or ())):
        if word.startswith(_CONTAINER):
            yield name, field, word, _ONE_CONTAINER.format(name=name, field=field, word=word)


def _of_network(name: str, key: str, definition: Mapping[str, Any]) -> Iterator[Finding]:
    """What of a network two colours cannot have."""
    driver = definition.get("driver")
    pools = (definition.get("ipam") or {}).get("config") or ()
    subnets = [str(pool.get("subnet") or next(iter(pool.values()))) for pool in pools if pool]
    if definition.get("external"):
        yield name, "networks", key, _MADE_ELSEWHERE.format(name=name, key=key)
    elif driver in _ON_THE_LAN:
        yield name, "networks", key, _LAN.format(name=name, key=key, driver=driver)
    if subnets:
        yield name, "networks", key, _SUBNETS.format(name=name, key=key, subnets=", ".join(subnets))


def _same_place(definition: Mapping[str, Any], host_paths: Collection[str]) -> bool:
    """Whether volumes of two names, defined so, hold the same files."""
    options = definition.get("driver_opts") or {}
    return options.get("device") in host_paths or options.get("type") in _REMOTE
