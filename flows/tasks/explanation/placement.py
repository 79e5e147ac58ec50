"""What of a checkout would ship with a release, and what cannot be placed."""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flows.core.errors import BadExtension, Refused
from flows.core.explanation.explanation import Refusal
from flows.core.explanation.reading import MountedContent
from flows.core.release.shipment import Shipment, place_of
from flows.core.release.tree import below
from flows.core.stack.files.shipped_files import StackFiles, find_stack_files
from flows.core.stack.stack import Stack, inside
from flows.settings import Settings
from flows.tasks.explanation.forgiving import Refusals
from flows.tasks.release.files.looking import find_shipment, refuse_credentials
from flows.tasks.stack.given_files import settle_given_files
from flows.tasks.stack.project import Project


def place_files(
    stack: Stack, project: Project, volumes: Mapping[str, Any], settings: Settings, refused: Refusals
) -> tuple[StackFiles, frozenset[str]]:
    """The files that a stack refers to, and the mounts that a release refuses because of where they are.

    Args:
        volumes: `volumes:` of the resolved stack.
    """
    astray: frozenset[str] = frozenset()
    while True:
        try:
            found = find_stack_files(
                stack, project.directory, tuple(project.texts), project.entries, project.texts.values(), volumes
            )
            return settle_given_files(found, (), settings), astray
        except BadExtension as error:
            refused.add(Refusal(type(error).__name__, str(error)))
            stack = _without_rules(stack)
        except Refused as error:
            if astray:
                raise
            refused.add(Refusal(type(error).__name__, str(error)))
            stack, volumes, astray = _without_astray(stack, volumes, (project.directory, *project.texts))


def look_at_files(sources: StackFiles, settings: Settings, refused: Refusals) -> dict[str, MountedContent]:
    """Mounted path → what ships with it, found as a release finds it."""
    try:
        shipment, suspects = find_shipment(sources, {}, settings)
    except Refused as error:
        refused.add(Refusal(type(error).__name__, str(error)))
        return {}
    refused.attempt(lambda: refuse_credentials(suspects), None)
    mounted = dict.fromkeys((*sources.shipped, *sources.state, *(p for some in sources.readers.values() for p in some)))
    return {path: _content(sources, shipment, path) for path in mounted}


def _content(sources: StackFiles, shipment: Shipment, path: str) -> MountedContent:
    state = tuple(sources.relative(one) for one in sources.state)
    entries = {name: shipment.tree[name] for name in below(shipment.tree, place_of(sources.relative(path), state))}
    files = [entry for entry in entries.values() if entry.kind == "file"]
    left = {os.path.normpath(os.path.join(sources.root, one.path)): one.why for one in shipment.left_out}
    return MountedContent(
        len(files),
        sum(entry.size for entry in files),
        tuple(os.path.join(sources.root, n.partition("/")[2]) for n, entry in entries.items() if entry.kind == "given"),
        {place: why for place, why in left.items() if inside(place, path) or inside(path, place)},
    )


def _without_rules(stack: Stack) -> Stack:
    """The stack without what it says of files that both the release and a service have changed."""
    return replace(stack, services={
        name: replace(service, extension=service.extension.model_copy(update={"mounts": {}}))
        for name, service in stack.services.items()
    })  # fmt: skip


def _without_astray(
    stack: Stack, volumes: Mapping[str, Any], files: tuple[str, ...]
) -> tuple[Stack, Mapping[str, Any], frozenset[str]]:
    """The stack without mounts that hold the compose files."""

    def holds(path: str) -> bool:
        return path.startswith("/") and any(inside(file, os.path.normpath(path)) for file in files)

    devices = {name: str(((spec or {}).get("driver_opts") or {}).get("device") or "") for name, spec in volumes.items()}
    astray = {m.source for s in stack.services.values() for m in s.mounts if m.kind == "bind" and holds(m.source)}
    services = {
        name: replace(service, mounts=tuple(mount for mount in service.mounts if mount.source not in astray))
        for name, service in stack.services.items()
    }
    kept = {name: spec for name, spec in volumes.items() if not holds(devices[name])}
    return replace(stack, services=services), kept, frozenset((*astray, *filter(holds, devices.values())))
