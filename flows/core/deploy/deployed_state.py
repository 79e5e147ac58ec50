"""The deployed state of one droplet: release, record, environment, and how what runs differs from the release."""

import hashlib
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from flows.core.answers import reads
from flows.core.deploy.digests import digest_mismatches
from flows.core.droplet.asleep import SECTION, read_marker, sleep_sections
from flows.core.droplet.containers import Container
from flows.core.droplet.directories import ENVIRONMENT, StackDirectory
from flows.core.droplet.running import (
    ENGINE_SECTIONS,
    Running,
    read_resolved,
    read_running,
    release_sections,
    running_sections,
)
from flows.core.droplet.sections import section_script, sections
from flows.core.errors import BadRelease
from flows.core.records.record import Record
from flows.core.records.storage import history_sections, read_records
from flows.core.release.release import Release, read_release
from flows.core.secrets.release_environment import OWN
from flows.core.stack.env_files import parse
from flows.core.stack.stack import Stack

# States in which a container has processes, or will have some by itself.
_RUNS = ("running", "restarting", "paused")


@dataclass(frozen=True)
class DeployedState:
    """The deployed state of one droplet at one moment.

    Args:
        environment: variable → a hash of its value; values are never kept.
        wrong: how what runs differs from the release, in sentences.
        nameless: service → where its running containers have volumes without a name.
        document: the release document as it stands there.
        asleep: whether it was put to sleep. What is stopped then is not wrong.
        slept: services that ran when it was.
        running: services that have a container that runs; of one that is asleep there are none, unless a run ended in
            between, or the droplet was started anew.
    """

    droplet: str
    release: Release | None = None
    record: Record | None = None
    stack: Stack | None = None
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)
    wrong: tuple[str, ...] = ()
    nameless: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    document: bytes = b""
    asleep: bool = False
    slept: tuple[str, ...] = ()
    running: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """A text that changes whenever another release or another environment is put on the droplet."""
        return f"{self.droplet} {self.record.number if self.record else '-'} {self.record.name if self.record else '-'}"


def deployed_state_script(directory: StackDirectory) -> str:
    """The script that prints the deployed state, and changes nothing.

    The environment holds secrets: values are hashed as soon as they are read.
    """
    parts = {
        **history_sections(directory),
        **release_sections(directory.current),
        "environment": f"cat {shlex.quote(directory.current)}/{ENVIRONMENT} 2>/dev/null",
        **sleep_sections(directory),
        **running_sections(directory.stack),
    }
    return section_script(parts, ENGINE_SECTIONS)


@reads("what stands on the droplet")
def read_deployed_state(output: str, directory: StackDirectory, droplet: str) -> DeployedState:
    """Parse the output of `deployed_state_script`.

    Raises:
        ForeignRecord, NewerRecord, BadRelease
    """
    parts = sections(output)
    if not parts.get("release"):
        return DeployedState(droplet)
    release = read_release(parts["release"].encode())
    if not parts.get("config"):
        raise BadRelease(
            f"{directory.current} on {droplet} holds release {release.tag} without what Compose made of it. "
            f"Put it there anew: slipway deploy --tag {release.tag} --droplet {droplet}"
        )
    stack = read_resolved(parts["config"])
    running, history = read_running(output), read_records(parts, directory.stack)
    marker = read_marker(parts.get(SECTION, ""), history.current)
    return DeployedState(
        droplet,
        release,
        history.deployed(),
        stack,
        {name: _hash(value) for name, value in parse(parts.get("environment", "")).items() if name not in OWN},
        _differences(release, stack, running, asleep=marker is not None),
        _nameless(running.containers),
        parts["release"].encode(),
        marker is not None,
        marker.services if marker else (),
        tuple(sorted({c.service for c in running.containers if c.state in _RUNS})),
    )


def _nameless(containers: Iterable[Container]) -> dict[str, tuple[str, ...]]:
    """Those of one-shots that have ended hold nothing that anybody goes on with."""
    found: dict[str, tuple[str, ...]] = {}
    for container in containers:
        if container.nameless and container.state == "running":
            places = (place for place, _ in container.nameless)
            found[container.service] = tuple(dict.fromkeys([*found.get(container.service, ()), *places]))
    return found


def _differences(release: Release, stack: Stack, running: Running, *, asleep: bool) -> tuple[str, ...]:
    """How what runs differs from the release, in sentences; services that ended count, one-shots aside.

    Args:
        asleep: they were stopped because nobody needs them.
    """
    expected = {n: ref for n, ref in release.services.items() if n in stack.services and stack.services[n].replicas}
    ended = [
        f"{c.service} is {c.state}"
        for c in running.containers
        if not asleep and c.state != "running" and c.service in expected and c.service not in stack.one_shots
    ]
    return (*digest_mismatches(expected, running.containers, running.digests), *ended)


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:16]
