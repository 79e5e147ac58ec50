"""What stands of a stack on a droplet, or on this host's engine, and which of it is not well."""

import difflib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from flows.core.droplet.containers import Container, by_service
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.running import ENGINE_SECTIONS, read_running, release_sections, running_sections
from flows.core.droplet.sections import section_script, sections
from flows.core.errors import BadRelease, NothingDeployed, Refused, UnknownService
from flows.core.registry.references import engine_name
from flows.core.release.release import Release, read_release
from flows.core.stack.compose_yaml import load_config
from flows.core.stack.stack import Stack

_RECORDS = 3


@dataclass(frozen=True)
class StackOverview:
    """A stack as it stands.

    Args:
        name: the stack's name.
        place: where, in words.
        inspected: container id → what `docker inspect` says of it.
        digests: image id → the repository digests the engine knows it by.
        records: the newest release records, as they stand there.
        now: the clock there, in seconds since the epoch.
        trouble: why the engine told nothing ('' if it did).
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
        """Whether a service may end well; one of a stack that cannot be read may."""
        return self.stack is None or service not in self.stack.services or service in self.stack.one_shots

    def is_missed(self, service: str) -> bool:
        """Whether a service should have a container, and has none."""
        wanted = self.stack.services[service].replicas if self.stack and service in self.stack.services else 1
        return bool(wanted) and not self.of(service)

    def may_start(self, container: Container) -> bool:
        """Whether a container is within its healthcheck's start period."""
        started, check = container.started, container.healthcheck
        return bool(started and check and self.now - started.timestamp() <= check.start_period)

    def other_digest(self, container: Container) -> tuple[str, str] | None:
        """What the container runs and what the release says, when these differ."""
        wanted = self.release.services.get(container.service) if self.release else None
        have = self.digests.get(container.image_id, ())
        if wanted is None or engine_name(wanted) in have:
            return None
        return (have[0] if have else container.image_id), wanted


def overview_script(stack: str, directory: StackDirectory | None) -> str:
    """A script that prints what stands there of a stack, and changes nothing.

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
    """Parse what `overview_script` printed. What cannot be read is left out: this is for times when things are broken.

    Args:
        config: the stack as Compose resolves it, where the script does not print it.
    """
    parts = sections(output)
    running = read_running(output)
    entries = json.loads(parts.get("containers") or "[]")
    return StackOverview(
        name=name,
        place=place,
        containers=tuple(running.containers),
        inspected={entry["Id"]: entry for entry in entries},
        digests=running.digests,
        release=_release(parts.get("release", "")),
        stack=_stack(config or parts.get("config", "")),
        records=parts.get("records", ""),
        now=float(parts.get("now") or 0),
        trouble=trouble,
    )


def unhealthy_services(overview: StackOverview) -> tuple[str, ...]:
    """Services that are not well: unhealthy, ended, restarted and not healthy since, missing, or of another digest."""
    return tuple(name for name in overview.services if overview.is_missed(name) or _any_sick(overview, name))


def choose_services(overview: StackOverview, wanted: Sequence[str]) -> tuple[str, ...]:
    """The services asked for; without any, those that are not well.

    Raises:
        UnknownService: with names that are near.
        NothingDeployed: there is nothing of the stack at all.
    """
    if not overview.services and not overview.trouble:
        raise NothingDeployed(
            f"{overview.place} has nothing of stack {overview.name}. What stands where: slipway status"
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


def _any_sick(overview: StackOverview, service: str) -> bool:
    return any(_is_sick(overview, container) for container in overview.of(service))


def _is_sick(overview: StackOverview, container: Container) -> bool:
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
        return Stack.from_config(load_config(config)) if config else None
    except (Refused, yaml.YAMLError, KeyError, TypeError, AttributeError):
        return None
