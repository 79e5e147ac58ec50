"""Containers, networks and volumes of a project as `docker inspect` shows them, as fields that can be compared."""

import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from typing import Any

from tests.support.judge.allowed import is_left_out
from tests.support.judge.droplet import run_on

PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"
# dockerd's own pools: docs.docker.com/engine/network.
_BUILT_IN = [IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16")]
_LONG_ID = re.compile(r"\b[0-9a-f]{64}\b")
# Of a network or volume, what its compose file says.
_PARTS = {
    "network": ("Name", "Driver", "Options", "Internal", "EnableIPv6", "Attachable", "Labels", "IPAM"),
    "volume": ("Name", "Driver", "Options", "Labels"),
}
# Lists of which the order means nothing: entry → what it is called.
_SETS = {
    "Config/Env": lambda entry: entry.partition("=")[0],
    "HostConfig/Binds": lambda entry: entry.split(":")[1] if ":" in entry else entry,
    "HostConfig/Mounts": lambda entry: entry["Target"],
    "HostConfig/ExtraHosts": str,
    "HostConfig/Links": str,
    "HostConfig/Ulimits": lambda entry: entry["Name"],
    "Mounts": lambda entry: entry["Destination"],
}


@dataclass(frozen=True)
class Place:
    """Where the files of a project lie on a host: beginnings of paths, each with what it is called on every host."""

    known: tuple[tuple[str, str], ...]
    base: str

    def plain(self, text: str) -> str:
        """The text, in which every path of the stack begins with `<stack>`, the compose file's directory."""
        for pattern, rest in self.known:
            text = re.sub(
                rf"(?:{pattern})(?P<path>/[^:,]*|(?=$|[:,]))",
                lambda found, rest=rest: self._called(posixpath.join(rest, found["path"].lstrip("/"))),
                text,
            )
        return text

    def _called(self, path: str) -> str:
        relative = posixpath.relpath(path or ".", self.base or ".")
        return "<stack>" if relative == "." else f"<stack>/{relative}"


def released_place(home: str, base: str) -> Place:
    """Where a release's files lie below a stack's directory on a droplet: what is read, what is written, and copies of
    secrets that have several modes.

    Args:
        base: the compose file's directory, from the root of the release's files.
    """
    at = re.escape(home)
    release = rf"{at}/(?:current|releases/[^/]+|incoming/[^/]+)"
    return Place(((f"{release}/files", ""), (f"{release}/secrets/[0-7]{{4}}", ""), (f"{at}/shared", "")), base)


@dataclass(frozen=True)
class Container:
    """One container: its name, id, service, when it was started, whether it runs, and every field that is compared."""

    name: str
    id: str
    service: str
    started: str
    state: str
    mounts: tuple[tuple[str, str, str], ...]
    fields: Mapping[str, str]


def read_containers(droplet: str, project: str, place: Place) -> dict[str, Container]:
    """Every container of a project by its name."""
    ids = (
        run_on(droplet, "docker", "ps", "-aq", "--no-trunc", "--filter", f"label={PROJECT}={project}").decode().split()
    )
    shown = json.loads(run_on(droplet, "docker", "inspect", *ids)) if ids else []
    names = {entry["Id"]: entry["Name"].lstrip("/") for entry in shown}
    return {names[entry["Id"]]: _container(entry, names, place) for entry in shown}


def read_parts(droplet: str, project: str, place: Place) -> dict[str, str]:
    """Networks and volumes of a project, as fields."""
    fields: dict[str, str] = {}
    pools = _pools(droplet)
    for kind, kept in _PARTS.items():
        listed = run_on(droplet, "docker", kind, "ls", "-q", "--filter", f"label={PROJECT}={project}").decode().split()
        for entry in json.loads(run_on(droplet, "docker", kind, "inspect", *listed)) if listed else []:
            name = _LONG_ID.sub("<id>", entry["Name"])
            known = {key: entry.get(key) for key in kept}
            if kind == "network" and not _own_addresses(known, pools):
                known.pop("IPAM")
            fields |= {f"{kind} {name}: {path}": place.plain(value) for path, value in leaves(known)}
    return {field: value for field, value in fields.items() if "<id>" not in field}


def leaves(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf of a document, by its path."""
    if isinstance(value, list) and value and at in _SETS:
        value = {f"{_SETS[at](entry)}": entry for entry in value}
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaves(item, f"{at}/{key}" if at else str(key))
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from leaves(item, f"{at}/{number}")
    else:
        yield at, json.dumps(value or None, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def _pools(droplet: str) -> list[IPv4Network]:
    """Where the engine takes a network's addresses from, when the compose file does not choose them."""
    said = json.loads(run_on(droplet, "docker", "info", "--format", "{{json .DefaultAddressPools}}"))
    return [ip_network(pool["Base"]) for pool in said or ()] or _BUILT_IN


def _own_addresses(network: Mapping[str, Any], pools: Iterable[IPv4Network]) -> bool:
    """Whether the compose file chose a network's addresses."""
    configs = (network.get("IPAM") or {}).get("Config") or ()
    subnets = [ip_network(config["Subnet"]) for config in configs if config.get("Subnet")]
    return any(not any(one.version == 4 and one.subnet_of(pool) for pool in pools) for one in subnets)


def _container(entry: dict[str, Any], names: Mapping[str, str], place: Place) -> Container:
    own = entry["Id"][:12]
    labels = entry["Config"]["Labels"]
    if depends := labels.get("com.docker.compose.depends_on"):
        labels["com.docker.compose.depends_on"] = ",".join(sorted(depends.split(",")))
    if entry["HostConfig"]["NetworkMode"].startswith("container:"):
        entry["Config"]["Hostname"] = "<id of the other>"
    elif entry["Config"]["Hostname"] == own:
        entry["Config"]["Hostname"] = "<id>"
    for network in entry["NetworkSettings"]["Networks"].values():
        for key in ("Aliases", "DNSNames"):
            network[key] = sorted(name for name in network.get(key) or () if name != own)
        network["Links"] = sorted(network.get("Links") or ())  # of several replicas Compose takes any one first
        if str(network.get("MacAddress", "")).startswith("02:42:"):  # the engine's own choice
            network["MacAddress"] = "<chosen>"
    fields = {}
    for path, value in leaves(entry):
        if is_left_out(path):
            continue
        said = _with_names(value, names)
        fields[_LONG_ID.sub("<id>", path)] = place.plain(said if path == "Image" else _without_ids(said))
    return Container(
        name=entry["Name"].lstrip("/"),
        id=entry["Id"],
        service=labels.get(SERVICE, ""),
        started=entry["State"]["StartedAt"],
        state=(entry["State"].get("Health") or {}).get("Status") or entry["State"]["Status"],
        mounts=tuple((m["Type"], m.get("Source", ""), m["Destination"]) for m in entry["Mounts"]),
        fields=fields,
    )


def _with_names(value: str, names: Mapping[str, str]) -> str:
    """The text with the names of containers in place of their ids."""
    for known, name in names.items():
        value = value.replace(known, f"<{name}>")
    return value


def _without_ids(value: str) -> str:
    return value if "sha256:" in value else _LONG_ID.sub("<id>", value)
