"""What of a checkout would ship with a release, and what cannot be placed."""

import os
from dataclasses import replace
from pathlib import Path

from flows.core.errors import Refused
from flows.core.explanation.explanation import Refusal
from flows.core.stack.files.shipped_files import StackFiles, find_stack_files
from flows.core.stack.stack import Stack, inside
from flows.tasks.explanation.forgiving import Refusals
from flows.tasks.stack.project import Project


def place_files(stack: Stack, project: Project, refused: Refusals) -> tuple[StackFiles, frozenset[str]]:
    """The files that a stack refers to, and the mounts that a release refuses because of where they are."""

    def placed(services: Stack) -> StackFiles:
        texts = project.texts
        return find_stack_files(services, project.directory, tuple(texts), project.entries, texts.values())

    try:
        return placed(stack), frozenset()
    except Refused as error:
        refused.add(Refusal(type(error).__name__, str(error)))
    astray = {
        mount.source
        for service in stack.services.values()
        for mount in service.mounts
        if mount.kind == "bind" and any(inside(file, mount.source) for file in (project.directory, *project.texts))
    }
    services = {
        name: replace(service, mounts=tuple(mount for mount in service.mounts if mount.source not in astray))
        for name, service in stack.services.items()
    }
    return placed(replace(stack, services=services)), frozenset(astray)


def count_files(sources: StackFiles) -> dict[str, tuple[int, int]]:
    """Path that services mount → how many files would ship from there, and their bytes."""
    found = {}
    for path in (*sources.shipped, *sources.state):
        below = [Path(path)] if os.path.isfile(path) else [p for p in Path(path).rglob("*") if ".git" not in p.parts]
        sizes = [file.stat().st_size for file in below if file.is_file()]
        if os.path.exists(path):
            found[path] = (len(sizes), sum(sizes))
    return found
