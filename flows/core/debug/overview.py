"""The overview of a stack on a droplet or on this host: its release, its services, and which are unhealthy."""

import difflib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flows.core.droplet.containers import Container, by_service, read_inspected
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.running import (
    ENGINE_SECTIONS,
    Running,
    read_resolved,
    read_running,
    release_sections,
    running_sections,
)
from flows.core.droplet.sections import section_script, sections
from flows.core.errors import BadRelease, NothingDeployed, Refused, UnknownService, UnreadableAnswer
from flows.core.registry.references import engine_name
from flows.core.release.release import Release, read_release
from flows.core.stack.stack import Stack

_RECORDS = 3
_DIGITS = 12


@dataclass(frozen=True)
class StackOverview:
    """A stack's release, containers and records in one place.

    Args:
        name: the stack's name.
        place: where, in words.
        inspected: container id → what `docker inspect` says of it.
        digests: image id → the repository digests the engine knows it by.
        records: the newest release records, as text.
        now: the clock there, in seconds since the epoch.
        trouble: why the engine did not answer ('' if it did).
    """

    name: str
    place: str
    containers: tuple[Container, ...] = ()
    inspected: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    digests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    release: Release | None = None
    stack: Stack | None = None
    records: str = ""
    now: float = 0.0
    trouble: str = ""

    @property
    def services(self) -> tuple[str, ...]:
        """Names of the services: those of the stack, and those that only containers know of."""
        declared = self.stack.services if self.stack else self.release.services if self.release else {}
        return tuple(dict.fromkeys([*declared, *by_service(self.containers)]))

    def of(self, service: str) -> list[Container]:
        """The containers of a service."""
        return by_service(self.containers).get(service, [])

    def may_end(self, service: str) -> bool:
        """Whether a service is allowed to end with exit 0; any is when the stack cannot be read."""
        return self.stack is None or service not in self.stack.services or service in self.stack.one_shots

    def is_missed(self, service: str) -> bool:
        """Whether a service has no container and should have one."""
        wanted = self.stack.services[service].replicas if self.stack and service in self.stack.services else 1
        return bool(wanted) and not self.of(service)

    def may_start(self, container: Container) -> bool:
        """Whether a container is within its healthcheck's start period."""
        started, check = container.started, container.healthcheck
        return bool(started and check and self.now - started.timestamp() <= check.start_period)

    def other_digest(self, container: Container) -> tuple[str, str] | None:
        """The digest that the container runs and that of the release, when they differ."""
        wanted = self.release.services.get(container.service) if self.release else None
        have = self.digests.get(container.image_id, ())
        if wanted is None or engine_name(wanted) in have:
            return None
        return (have[0] if have else container.image_id), wanted


def overview_script(stack: str, directory: StackDirectory | None) -> str:
    """The script that prints the overview of a stack, and changes nothing.

    Args:
        directory: the stack's directory on a droplet; None where no release was ever put.
    """
    parts = {"now": "date +%s"}
    if directory:
        newest = f"printf '%s\\n' *.json | tail -n {_RECORDS} | xargs cat"
        records = f"cd {shlex.quote(directory.history)} 2>/dev/null && {newest}"
        parts |= {**release_sections(directory.current), "records": records}
    return section_script({**parts, **running_sections(stack)}, ENGINE_SECTIONS)


def read_overview(name: str, place: str, output: str, config: str = "", trouble: str = "") -> StackOverview:
    """Parse the output of `overview_script`. What cannot be read is left out: this is for times when things are broken.

    Args:
        config: the stack as Compose resolves it, where the script does not print it.
    """
    parts = sections(output)
    try:
        running, (entries, _) = read_running(output), read_inspected(parts.get("containers", ""))
    except UnreadableAnswer as error:
        running, entries, trouble = Running([], {}), [], trouble or str(error)
    return StackOverview(
        name=name,
        place=place,
        containers=tuple(running.containers),
        inspected={entry["Id"]: entry for entry in entries},
        digests=running.digests,
        release=_release(parts.get("release", "")),
        stack=_stack(config or parts.get("config", "")),
        records=parts.get("records", ""),
        now=_seconds(parts.get("now", "")),
        trouble=trouble,
    )


def unhealthy_services(overview: StackOverview) -> tuple[str, ...]:
    """Services that are unhealthy, ended, restarted and not healthy since, missing, or of another digest."""
    return tuple(name for name in overview.services if overview.is_missed(name) or _any_unhealthy(overview, name))


def choose_services(overview: StackOverview, wanted: Sequence[str]) -> tuple[str, ...]:
    """The services to examine: those named, else the unhealthy ones.

    Raises:
        UnknownService: with similar names.
        NothingDeployed: there is nothing of the stack at all.
    """
    if not overview.services and not overview.trouble:
        raise NothingDeployed(
            f"{overview.place} has nothing of stack {overview.name}. To see which droplet runs what: slipway status"
        )
    for name in wanted:
        if name not in overview.services and not overview.trouble:
            near = difflib.get_close_matches(name, overview.services, n=3, cutoff=0.5)
            hint = f"Did you mean {' or '.join(near)}? " if near else ""
            raise UnknownService(
                f"stack {overview.name} on {overview.place} has no service {name}. {hint}"
                f"Its services: {', '.join(sorted(overview.services))}"
            )
    return tuple(dict.fromkeys(wanted)) or unhealthy_services(overview)


def _any_unhealthy(overview: StackOverview, service: str) -> bool:
    return any(_is_unhealthy(overview, container) for container in overview.of(service))


def _is_unhealthy(overview: StackOverview, container: Container) -> bool:
    if overview.other_digest(container) or container.health == "unhealthy":
        return True
    if container.state == "exited" and container.exit_code == 0:
        return not overview.may_end(container.service)
    if container.state != "running" or (container.restarts > 0 and container.health != "healthy"):
        return True
    return container.health == "starting" and not overview.may_start(container)


def _release(document: str) -> Release | None:
    try:
        return read_release(document.encode()) if document else None
    except BadRelease:
        return None


def _stack(config: str) -> Stack | None:
    try:
        return read_resolved(config) if config else None
    except (Refused, UnreadableAnswer):
        return None


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() and len(text) < _DIGITS else 0.0
