"""What a service's own fields say of it, as they are written: ports, healthcheck, volumes, names."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flows.core.control.beginning.images import by_default, known_image

# A healthcheck asks itself: by one of these names, or by an address of every interface.
_URL = re.compile(
    r"\bhttp://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]|\$\{?HOSTNAME\}?)(?::([^/\s'\"\\]+))?(/[^\s'\"\\,)]*)?"
)
# Requests that a plain GET is not the same as.
_OTHER_REQUEST = re.compile(r"POST|PUT|(?:^|\s)(?:-[A-Za-z]*[dHuX]|--(?:data|header|user|request|post)\S*)(?:\s|=|$)")
_PLAIN_PATH = re.compile(r"/[\w./~%?=&+-]*")
_VOLUME = re.compile(r"[A-Za-z0-9][\w.-]*")
_WORD = re.compile(r"[a-z0-9]+")
MCP_PORT = "MCP_PORT"


@dataclass(frozen=True)
class PublishedPort:
    """A TCP port inside the container, and the one of the host that leads there (0: whichever is free)."""

    target: int
    host: int = 0


def health_of(spec: Mapping[str, Any]) -> tuple[int, str] | None:
    """The port and the path that the healthcheck asks with a plain GET; None where it does something else."""
    check = spec.get("healthcheck")
    if not isinstance(check, Mapping) or check.get("disable") == "true":
        return None
    test = check.get("test")
    said = by_default(" ".join(map(str, test)) if isinstance(test, list) else str(test or ""))
    if _OTHER_REQUEST.search(said):
        return None
    for found in _URL.finditer(said):
        port, path = _port(found[1] or "80"), found[2] or "/"
        if port and _PLAIN_PATH.fullmatch(path):
            return port, path
    return None


def published_ports(spec: Mapping[str, Any]) -> tuple[PublishedPort, ...]:
    """The TCP ports that are published, each once; a range is none."""
    return tuple(dict.fromkeys(_published(_list(spec.get("ports")))))


def container_ports(spec: Mapping[str, Any]) -> tuple[int, ...]:
    """The TCP ports inside the container that the service names, published ones first."""
    exposed = [_port(by_default(str(one)).removesuffix("/tcp")) for one in _list(spec.get("expose"))]
    return tuple(dict.fromkeys(port for port in (*(p.target for p in published_ports(spec)), *exposed) if port))


def named_volumes(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The volumes with a name that it mounts."""
    return tuple(dict.fromkeys(source for kind, source in _mounts(spec) if kind == "volume"))


def own_directories(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """What it may write to beside volumes with a name: paths of the host, and volumes without a name."""
    return tuple(dict.fromkeys(source for kind, source in _mounts(spec) if kind == "bind"))


def environment_of(spec: Mapping[str, Any]) -> dict[str, str]:
    """Its variables, of either form; one without a value is empty."""
    given = spec.get("environment")
    if isinstance(given, Mapping):
        return {str(key): by_default(str(value or "")) for key, value in given.items()}
    pairs = (str(one).partition("=") for one in _list(given))
    return {key: by_default(value) for key, _, value in pairs}


def speaks_mcp(name: str, spec: Mapping[str, Any]) -> bool:
    """Whether its name, its image's name, a label or a variable says that it is an MCP server."""
    labels = spec.get("labels")
    keys = labels if isinstance(labels, Mapping) else [str(one).partition("=")[0] for one in _list(labels)]
    image = by_default(str(spec.get("image") or "")).rpartition("/")[2].partition(":")[0]
    return any("mcp" in _WORD.findall(str(text).lower()) for text in (name, image, *keys)) or mcp_port(spec) > 0


def mcp_port(spec: Mapping[str, Any]) -> int:
    """The port that a variable names as that of MCP; 0 if none does."""
    return _port(environment_of(spec).get(MCP_PORT, ""))


def keeps_state(spec: Mapping[str, Any]) -> bool:
    """Whether it mounts a volume with a name, or its image is known to keep what must not be lost."""
    known = known_image(str(spec.get("image") or ""))
    return bool(named_volumes(spec)) or bool(known and known.keeps)


def _published(entries: list[Any]) -> Iterator[PublishedPort]:
    for entry in entries:
        if isinstance(entry, Mapping):
            host, target, protocol = entry.get("published"), entry.get("target"), entry.get("protocol") or "tcp"
        else:
            said, _, protocol = by_default(str(entry)).partition("/")
            before, _, target = said.rpartition(":")
            host = before.rpartition(":")[2]
        inside = _port(by_default(str(target or "")))
        if inside and (protocol or "tcp") == "tcp":
            yield PublishedPort(inside, _port(by_default(str(host or ""))))


def _mounts(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for entry in _list(spec.get("volumes")):
        if isinstance(entry, Mapping):
            source = by_default(str(entry.get("source") or entry.get("src") or ""))
            kind, read_only = str(entry.get("type") or "volume"), entry.get("read_only") == "true"
        else:
            said = by_default(str(entry)).split(":")
            source, kind = said[0], "volume" if len(said) > 1 else "bind"
            read_only = len(said) > 2 and "ro" in said[2].split(",")
        if kind == "volume" and _VOLUME.fullmatch(source):
            yield "volume", source
        elif kind in ("volume", "bind") and source and not read_only:
            yield "bind", source


def _port(text: str) -> int:
    """A number of a port, else 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535 else 0


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None or value == "" else [value]
