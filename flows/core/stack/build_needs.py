"""What the builds of a stack take from the build host beside their source: secrets, SSH agents and keys."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flows.core.stack.stack import Service, Stack


@dataclass(frozen=True)
class BuildSecret:
    """A secret that builds read: a variable of the stack, or a file (absolute)."""

    name: str
    service: str
    variable: str = ""
    file: str = ""


@dataclass(frozen=True)
class SshAccess:
    """What a build asks of SSH. Without a path it is the agent of the build host, else a key or an agent's socket."""

    service: str
    name: str
    path: str = ""


def build_secrets(stack: Stack, makers: Iterable[str]) -> tuple[BuildSecret, ...]:
    """The secrets that the builds of these services read, each once, with a service that does."""
    found: dict[str, BuildSecret] = {}
    for maker in makers:
        build = stack.services[maker].build
        for entry in (build.spec.get("secrets") or ()) if build else ():
            name = entry["source"] if isinstance(entry, Mapping) else entry
            variable, file = stack.secret_variables.get(name, ""), stack.secret_files.get(name, "")
            found.setdefault(name, BuildSecret(name, maker, variable, file))
    return tuple(found.values())


def build_secret_files(stack: Stack) -> tuple[str, ...]:
    """Files of secrets that builds read (absolute): saved with the stack's environment, never put on a droplet."""
    makers = [name for name, service in stack.services.items() if service.build]
    return tuple(dict.fromkeys(secret.file for secret in build_secrets(stack, makers) if secret.file))


def ssh_accesses(services: Iterable[Service]) -> Iterator[SshAccess]:
    """What the builds of these services ask of SSH."""
    for service in services:
        for entry in ssh_entries(service.build.spec if service.build else {}):
            name, _, path = entry.partition("=")
            yield SshAccess(service.name, name, path)


def ssh_entries(build: Mapping[str, Any]) -> list[str]:
    """`build.ssh` as Compose reads it: `NAME`, or `NAME=PATH`. (Its own output says `NAME: PATH`, and in a map.)"""
    given = build.get("ssh") or ()
    if isinstance(given, Mapping):
        return [f"{name}={path}" if path else str(name) for name, path in given.items()]
    return [str(entry).replace(": ", "=", 1) for entry in given]
