"""The containers of a stack: the output of `docker inspect` as values."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flows.core.answers import reads

ONE_OFF_LABEL = "com.docker.compose.oneoff"
SERVICE_LABEL = "com.docker.compose.service"
OF_CONTAINER = "container:"
NANOSECONDS = 1_000_000_000
# The engine's own name of a volume that was given none.
_NAMELESS = re.compile(r"[0-9a-f]{64}")
# What is read of an entry, and of which type it is (`?`: may be missing or null; `*`: every key).
_ENTRY = {
    "Id": str, "Name": str, "Image": str, "RestartCount?": int,
    "State": {"Status": str, "ExitCode?": int, "OOMKilled?": bool, "StartedAt?": str, "Error?": str, "Pid?": int,
              "Health?": {"Status?": str, "Log?": [{"Output?": str, "ExitCode?": int}]}},
    "Config": {"Image": str, "Labels?": {"*": str}, "Env?": [str], "Cmd?": [str], "Entrypoint?": [str], "Healthcheck?":
               {"Test?": [str], "Interval?": int, "Timeout?": int, "Retries?": int, "StartPeriod?": int}},
    "HostConfig?": {"NetworkMode?": str},
    "NetworkSettings?": {"Networks?": {"*": {"IPAddress?": str}}, "Ports?": {"*?": [{"HostPort?": str}]}},
    "Mounts?": [{"Type?": str, "Name?": str, "Source?": str, "Destination?": str}],
    "GraphDriver?": {"Data?": {"*": str}},
}  # fmt: skip
# The engine's own defaults for a healthcheck that leaves a field out (docs.docker.com, Dockerfile HEALTHCHECK).
_INTERVAL, _TIMEOUT, _RETRIES = 30.0, 30.0, 3


@dataclass(frozen=True)
class Healthcheck:
    """The settings of one healthcheck; times are in seconds."""

    interval: float = _INTERVAL
    timeout: float = _TIMEOUT
    retries: int = _RETRIES
    start_period: float = 0.0

    @property
    def longest(self) -> float:
        """Seconds after the start within which the engine must have called it healthy or unhealthy."""
        return self.start_period + (self.retries + 1) * (self.interval + self.timeout)


@dataclass(frozen=True)
class Container:
    """One container of the stack, as it stands now.

    Args:
        address: where the droplet itself reaches it; '' when it has no address.
        nameless: volumes without a name of their own, each with where it is mounted; the container is all that leads
            to them.
    """

    id: str
    name: str
    service: str
    image: str
    image_id: str
    state: str
    health: str
    exit_code: int
    oom_killed: bool
    restarts: int
    started: datetime | None
    healthcheck: Healthcheck | None
    address: str
    last_words: str
    labels: tuple[tuple[str, str], ...] = ()
    nameless: tuple[tuple[str, str], ...] = ()


@reads("what `docker inspect` printed")
def read_containers(inspected: str) -> list[Container]:
    """The stack's containers from what `containers_script` printed (empty text: no containers)."""
    entries, owners = read_inspected(inspected)
    known = {entry["Id"]: entry for entry in (*owners, *entries)}
    return sorted((_container(entry, known) for entry in entries), key=lambda c: (c.service, c.name))


@reads("what `docker inspect` printed")
def read_inspected(inspected: str) -> tuple[list[Any], list[Any]]:
    """What `docker inspect` says of the stack's containers, and of others whose network some of these use."""
    decoder, arrays, text, end = json.JSONDecoder(), [], inspected.strip(), 0
    while end < len(text):
        array, end = decoder.raw_decode(text, end)
        arrays.append(array)
        while text[end : end + 1].isspace():
            end += 1
    for array in arrays:
        _check(array, [_ENTRY], "")
    return (arrays[0] if arrays else []), [entry for array in arrays[1:] for entry in array]


def _check(value: Any, shape: Any, field: str) -> None:
    """Refuse what has another type than the engine gives it, so that all who use it need not ask.

    Raises:
        TypeError, KeyError
    """
    wanted: Any = dict if isinstance(shape, dict) else list if isinstance(shape, list) else shape
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise TypeError(field)
    if isinstance(shape, list):
        for item in value:
            _check(item, shape[0], field)
    elif isinstance(shape, dict):
        for name, inner in shape.items():
            key = name.removesuffix("?")
            if key == "*":
                for item in value.values():
                    if name == key or item is not None:
                        _check(item, inner, field)
            elif name == key or value.get(key) is not None:
                _check(value[key], inner, key)


def by_service(containers: Iterable[Container]) -> dict[str, list[Container]]:
    """Service → its containers, by the labels that Compose sets.

    Those of a one-off `compose run` are left out, and those of a plain `docker run` of our image, which inherit the
    labels that the image got when it was built.
    """
    found: dict[str, list[Container]] = {}
    for container in containers:
        if dict(container.labels).get(ONE_OFF_LABEL) == "False":
            found.setdefault(container.service, []).append(container)
    return found


def orphan_containers(containers: Iterable[Container], services: Collection[str]) -> list[Container]:
    """The containers whose service is none of these."""
    return [c for name, mine in by_service(containers).items() if name not in services for c in mine]


def _container(entry: Any, known: Mapping[str, Any]) -> Container:
    state, config = entry["State"], entry["Config"]
    labels = config.get("Labels") or {}
    health = state.get("Health") or {}
    log = health.get("Log") or []
    return Container(
        id=entry["Id"],
        name=entry["Name"].lstrip("/"),
        service=labels.get(SERVICE_LABEL, entry["Name"].lstrip("/")),
        image=config["Image"],
        image_id=entry["Image"],
        state=state["Status"],
        health=health.get("Status") or "none",
        exit_code=state.get("ExitCode") or 0,
        oom_killed=bool(state.get("OOMKilled")),
        restarts=entry.get("RestartCount") or 0,
        started=_time(state.get("StartedAt") or ""),
        healthcheck=_healthcheck(config.get("Healthcheck")),
        address=_address(entry, known),
        last_words=(log[-1].get("Output") or "").strip() if log else state.get("Error") or "",
        labels=tuple(sorted(labels.items())),
        nameless=tuple(sorted(_nameless(entry.get("Mounts") or ()))),
    )


def _healthcheck(spec: Any) -> Healthcheck | None:
    if not spec or not spec.get("Test") or spec["Test"][0] == "NONE":
        return None
    return Healthcheck(
        interval=(spec.get("Interval") or 0) / NANOSECONDS or _INTERVAL,
        timeout=(spec.get("Timeout") or 0) / NANOSECONDS or _TIMEOUT,
        retries=spec.get("Retries") or _RETRIES,
        start_period=(spec.get("StartPeriod") or 0) / NANOSECONDS,
    )


def _address(entry: Any, known: Mapping[str, Any]) -> str:
    """Its first network address; that of the container whose network it uses; loopback on the host's network."""
    seen: set[str] = set()
    while (mode := (entry.get("HostConfig") or {}).get("NetworkMode") or "").startswith(OF_CONTAINER):
        seen.add(entry["Id"])
        owner = known.get(mode.removeprefix(OF_CONTAINER))
        if owner is None or owner["Id"] in seen or owner["State"]["Status"] != "running":
            return ""
        entry = owner
    if mode == "host":
        return "127.0.0.1"
    networks = (entry.get("NetworkSettings") or {}).get("Networks") or {}
    return next((net["IPAddress"] for net in networks.values() if net.get("IPAddress")), "")


def _nameless(mounts: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for mount in mounts:
        if mount.get("Type") == "volume" and _NAMELESS.fullmatch(mount.get("Name") or ""):
            yield mount["Destination"], mount["Name"]


def _time(text: str) -> datetime | None:
    """Parse the engine's RFC 3339 time with nanoseconds; its zero time (year 1) means never."""
    if not text or text.startswith("0001-"):
        return None
    return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)


def container_environment(inspected: Mapping[str, Any]) -> dict[str, str]:
    """The variables of a container, as `docker inspect` lists them."""
    entries = (inspected.get("Config") or {}).get("Env") or ()
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)
