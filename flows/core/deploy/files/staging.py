"""The content of a release's directory on a droplet: its files, those of its environment, what restarts services."""

import hashlib
import posixpath
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flows.core.deploy.content_labels import CONTENT_LABEL
from flows.core.droplet.directories import COMMAND, COPIES, ENVIRONMENT, SECRETS, StackDirectory
from flows.core.errors import MissingEnvironmentFile
from flows.core.release.bundle import FILES, SEED, TREE, File, ReleaseFiles
from flows.core.release.release import Release, content_hash
from flows.core.release.tree import Entry, Tree
from flows.core.stack.compose_yaml import dump_compose
from flows.core.stack.env_files import render
from flows.core.stack.files.shipped_files import EnvironmentFile
from flows.core.stack.variables import without_steering

SECRETS_LABEL = "dev.slipway.secrets"
PRIVATE = 0o600


def secret_contents(release: Release, given: Mapping[str, bytes]) -> dict[str, File]:
    """The env and secret files of a release, from the environment block: path below the release's root → file.

    Args:
        given: path, relative to the compose file's directory → content.

    Raises:
        MissingEnvironmentFile: names every required one that the block does not hold.
    """
    base = posixpath.dirname(release.compose_files[0])
    known = environment_contents(release.stack, base, release.environment_files, given)
    return {
        entry.path: File(known[entry.path], entry.mode) for entry in release.environment_files if entry.path in known
    }


def environment_contents(
    stack: str, base: str, wanted: Iterable[EnvironmentFile], given: Mapping[str, bytes]
) -> dict[str, bytes]:
    """The contents of the environment block: path below the release's root → text.

    Args:
        base: the compose file's directory, below that root.
        wanted: the files the stack needs.

    Raises:
        MissingEnvironmentFile: names every required one that the block does not hold.
    """
    known = {posixpath.normpath(posixpath.join(base, path)): content for path, content in given.items()}
    missing = sorted(entry.path for entry in wanted if entry.required and entry.path not in known)
    if missing:
        raise MissingEnvironmentFile(
            f"stack {stack} needs {', '.join(posixpath.relpath(path, base or '.') for path in missing)}, "
            "which its environment block does not hold. Save it: slipway environment set --stack PATH"
        )
    return known


def release_fingerprint(files: Mapping[str, File], variables: Mapping[str, str], secrets: Mapping[str, File]) -> str:
    """A hash over all that is put on the droplet: the release, its files with their modes, and the environment."""
    return content_hash({
        **{f"r/{file.mode:o}/{name}": file.content for name, file in files.items()},
        **{f"s/{file.mode:o}/{name}": file.content for name, file in secrets.items()},
        "environment": render(variables),
    })  # fmt: skip


def secrets_override(
    stack_secrets: Mapping[str, tuple[str, ...]], secrets: Mapping[str, File], seed: str
) -> dict[str, Any]:
    """The part of a compose override that makes exactly those services restart whose secret files changed.

    Args:
        stack_secrets: service → the secret files it mounts.
        seed: mixed into the hash, so that equal secrets of two stacks do not look equal.
    """
    services = {}
    for service, paths in sorted(stack_secrets.items()):
        mine = {path: secrets[path].content for path in paths if path in secrets}
        if mine:
            services[service] = {"labels": {SECRETS_LABEL: content_hash({**mine, "seed": seed.encode()})}}
    return services


@dataclass(frozen=True)
class StagedRelease:
    """What one release directory will hold.

    Args:
        content: name → file, of those that are in memory: all that is no published mounted file.
        tree: everything below `files/` and `seed/`. What services write to is brought to its place from `seed/`.
    """

    content: Mapping[str, File]
    tree: Tree

    @property
    def published(self) -> tuple[str, ...]:
        """The names of files whose content is in the release's layers of files."""
        return tuple(name for name, entry in self.tree.items() if entry.kind == "file" and name not in self.content)


def staged_release(
    release: Release,
    files: ReleaseFiles,
    variables: Mapping[str, str],
    secrets: Mapping[str, File],
    directory: StackDirectory,
    role: Mapping[str, Any] | None = None,
) -> StagedRelease:
    """Everything of one release directory; what is secret is readable by its owner only, or as the release says.

    Args:
        files: as the release was published.
        role: what a compose override says for the part of the stack that this droplet runs.
    """
    argv = shlex.join(directory.compose(release, directory.current)())
    command = f'#!/bin/sh\n# Docker Compose for the release that stands here.\nexec {argv} "$@"\n'
    content = {_placed(name, release.state): file for name, file in files.own.items() if name != TREE}
    for name, entry in files.tree.items():
        if entry.kind == "given" and entry.target in secrets:
            content[name] = replace(secrets[entry.target], mode=entry.mode)
    for path, file in secrets.items():
        for name in (f"{FILES}/{path}", _placed(f"{FILES}/{path}", release.state)):
            content.setdefault(name, file)
    whole = {name: entry for name, entry in files.tree.items() if entry.kind != "given"}
    whole |= {
        name: Entry("file", file.mode, len(file.content), hashlib.sha256(file.content).hexdigest())
        for name, file in content.items()
        if name.startswith((f"{FILES}/", f"{SEED}/")) and _placed(name, release.state) == name
    }
    content |= {
        f"{COPIES}/{mount.place}": File(secrets[mount.path].content, mount.mode)
        for mount in release.secret_copies
        if mount.path in secrets
    }
    content |= {
        ENVIRONMENT: File(render(without_steering(variables)), PRIVATE),
        SECRETS: File(local_override(release, secrets, role or {}), PRIVATE),
        COMMAND: File(command.encode(), 0o755),
    }
    return StagedRelease(content, whole)


def _placed(name: str, state: Iterable[str]) -> str:
    """Where a file of a release stands. Version 0.1 published all that is read in one place, what is written too."""
    path = name.removeprefix(f"{FILES}/")
    inside = path != name and any(path == one or path.startswith(f"{one}/") for one in state)
    return f"{SEED}/{path}" if inside else name


def local_override(
    release: Release, secrets: Mapping[str, File], role: Mapping[str, Any], contents: Mapping[str, str] | None = None
) -> bytes:
    """The compose override of one droplet: which part of the stack it runs, and what its secrets and configs hold.

    Args:
        contents: service → a hash of the contents it is given, as `content_labels` makes them.
    """
    services: dict[str, Any] = dict(role.get("services", {}))
    for name, labels in secrets_override(release.secret_readers, secrets, release.stack).items():
        services[name] = {**services.get(name, {}), **labels}
    for name, value in (contents or {}).items():
        mine = services.get(name, {})
        services[name] = {**mine, "labels": {**mine.get("labels", {}), CONTENT_LABEL: value}}
    copies = [mount for mount in release.secret_copies if mount.path in secrets]
    for mount in copies:
        mine = services.get(mount.service, {})
        entry = {"source": mount.name, "target": _escaped(mount.target), "mode": mount.mode}
        services[mount.service] = {**mine, "secrets": [*mine.get("secrets", []), entry]}
    override = {**role, "services": services}
    if copies:
        base = posixpath.join(FILES, posixpath.dirname(release.compose_files[0]))
        places = {mount.name: posixpath.relpath(f"{COPIES}/{mount.place}", base) for mount in copies}
        override["secrets"] = {name: {"file": _escaped(place)} for name, place in sorted(places.items())}
    return dump_compose(override)


def _escaped(text: str) -> str:
    """A text that Compose would put variables into."""
    return text.replace("$", "$$")
