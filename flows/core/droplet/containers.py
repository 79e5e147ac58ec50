"""The containers of a stack: the output of `docker inspect` as values."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

ONE_OFF_LABEL = "com.docker.compose.oneoff"
SERVICE_LABEL = "com.docker.compose.service"
NANOSECONDS = 1_000_000_000
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
    """One container of the stack at one moment."""

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


def read_containers(inspected: str) -> list[Container]:
    """Parse the JSON array of `docker inspect ID…` (empty text: no containers)."""
    entries = json.loads(inspected) if inspected.strip() else []
    return sorted((_container(entry) for entry in entries), key=lambda c: (c.service, c.name))


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


def orphan_ids(containers: Iterable[Container], services: Collection[str]) -> list[str]:
    """Ids of orphan containers: their service is none of these."""
    return [c.id for name, mine in by_service(containers).items() if name not in services for c in mine]


def _container(entry: Any) -> Container:
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
        health=health.get("Status", "none"),
        exit_code=state.get("ExitCode", 0),
        oom_killed=bool(state.get("OOMKilled")),
        restarts=entry.get("RestartCount", 0),
        started=_time(state.get("StartedAt", "")),
        healthcheck=_healthcheck(config.get("Healthcheck")),
        address=_address(entry),
        last_words=(log[-1].get("Output", "").strip() if log else state.get("Error", "")),
        labels=tuple(sorted(labels.items())),
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


def _address(entry: Any) -> str:
    """The address by which the droplet reaches the container: its first one, or loopback on the host's network."""
    if (entry.get("HostConfig") or {}).get("NetworkMode") == "host":
        return "127.0.0.1"
    networks = (entry.get("NetworkSettings") or {}).get("Networks") or {}
    return next((net["IPAddress"] for net in networks.values() if net.get("IPAddress")), "")


def _time(text: str) -> datetime | None:
    """Parse the engine's RFC 3339 time with nanoseconds; its zero time (year 1) means never."""
    if not text or text.startswith("0001-"):
        return None
    return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)


def container_environment(inspected: Mapping[str, Any]) -> dict[str, str]:
    """The variables of a container, as `docker inspect` lists them."""
    entries = (inspected.get("Config") or {}).get("Env") or ()
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)
