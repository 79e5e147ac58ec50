"""The staging of a release on a droplet: its files as one tar, and the scripts that move them into place."""

import io
import posixpath
import shlex
import tarfile
from collections.abc import Iterable, Mapping
from typing import Any

from flows.core.droplet.directories import COMMAND, ENVIRONMENT, RESOLVED, SECRETS, StackDirectory
from flows.core.errors import MissingEnvironmentFile
from flows.core.release.bundle import FILES, SEED, File
from flows.core.release.release import Release, content_hash
from flows.core.stack.compose_yaml import dump_compose
from flows.core.stack.env_files import render
from flows.core.stack.shipped_files import EnvironmentFile
from flows.core.stack.variables import without_steering

SECRETS_LABEL = "dev.slipway.secrets"
PRIVATE = 0o600


def secret_contents(release: Release, given: Mapping[str, str]) -> dict[str, File]:
    """The env and secret files of a release, from the environment block: path below the release's root → file.

    Args:
        given: path, relative to the compose file's directory → content.

    Raises:
        MissingEnvironmentFile: names every required one that the block does not hold.
    """
    base = posixpath.dirname(release.compose_files[0])
    known = environment_contents(release.stack, base, release.environment_files, given)
    return {
        entry.path: File(known[entry.path].encode(), entry.mode)
        for entry in release.environment_files
        if entry.path in known
    }


def environment_contents(
    stack: str, base: str, wanted: Iterable[EnvironmentFile], given: Mapping[str, str]
) -> dict[str, str]:
    """The contents of the environment block: path below the release's root → text.

    Args:
        base: the compose file's directory, below that root.
        wanted: the files the stack needs.

    Raises:
        MissingEnvironmentFile: names every required one that the block does not hold.
    """
    known = {posixpath.normpath(posixpath.join(base, path)): text for path, text in given.items()}
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


def staged_files(
    release: Release,
    files: Mapping[str, File],
    variables: Mapping[str, str],
    secrets: Mapping[str, File],
    directory: StackDirectory,
    role: Mapping[str, Any] | None = None,
) -> dict[str, File]:
    """Everything of one release directory, by its path there; what is secret is readable by its owner only.

    Args:
        role: what a compose override says for the part of the stack that this droplet runs.
    """
    argv = shlex.join(directory.compose(release, directory.current)())
    command = f'#!/bin/sh\n# Docker Compose for the release that stands here.\nexec {argv} "$@"\n'
    return {
        **files,
        **{f"{FILES}/{path}": file for path, file in secrets.items()},
        ENVIRONMENT: File(render(without_steering(variables)), PRIVATE),
        SECRETS: File(_local_override(release, secrets, role or {}), PRIVATE),
        COMMAND: File(command.encode(), 0o755),
    }


def staging_tar(content: Mapping[str, File]) -> bytes:
    """The files of a release directory as a tar."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=1) as tar:
        for name, file in sorted(content.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(file.content), file.mode
            tar.addfile(entry, io.BytesIO(file.content))
    return raw.getvalue()


def _local_override(release: Release, secrets: Mapping[str, File], role: Mapping[str, Any]) -> bytes:
    services: dict[str, Any] = dict(role.get("services", {}))
    for name, labels in secrets_override(release.secret_readers, secrets, release.stack).items():
        services[name] = {**services.get(name, {}), **labels}
    return dump_compose({**role, "services": services})


def stage_script(release: Release, directory: StackDirectory, name: str, seeds: Mapping[str, File]) -> str:
    """The script that unpacks the tar on standard input, links writable paths, and prints and keeps the resolved stack.

    Nothing that runs is touched. On any failure what was unpacked is removed again.
    """
    place = directory.incoming(name)
    at = shlex.quote(place)
    lines = [
        "set -eu",
        f"trap {shlex.quote(f'code=$?; [ $code -eq 0 ] || {{ {_discard(directory, name)}; }}')} EXIT",
        f"mkdir -p {' '.join(_join(directory.path, name) for name in ('releases', 'incoming', 'shared'))}",
        f"chmod 700 {shlex.quote(directory.path)}",
        f"rm -rf {at} && mkdir {at}",
        f"tar -xzpf - -C {at} --no-same-owner",
    ]
    for path in sorted(release.state):  # what holds another comes before it
        lines += _keep_state(path, directory, place, f"{SEED}/{path}" in seeds)
    for path in _outermost(release.state):
        lines += _link_state(path, directory, place)
    resolved = _join(place, RESOLVED)
    lines += [
        f"rm -rf {_join(place, SEED)}",
        "umask 077",
        f"{shlex.join(directory.compose(release, place).config())} >{resolved}",
        f"cat {resolved}",
    ]
    return "\n".join(lines) + "\n"


def switch_script(directory: StackDirectory, name: str) -> str:
    """The script that moves a staged release into place and makes it the current one; it may run twice.

    Nobody else stages one meanwhile, so whatever an ended run left in `incoming/` is removed.
    """
    incoming, final = shlex.quote(directory.incoming(name)), shlex.quote(directory.release(name))
    return "\n".join([
        "set -eu",
        f"[ -d {final} ] || mv {incoming} {final}",
        f"ln -sfn {shlex.quote(f'releases/{name}')} {_join(directory.path, 'current.new')}",
        f"mv -T {_join(directory.path, 'current.new')} {shlex.quote(directory.current)}",
        f"rm -rf {_join(directory.path, 'incoming')}",
    ]) + "\n"  # fmt: skip


def discard_script(directory: StackDirectory, name: str) -> str:
    """The script that removes a staged release and, where it would have been the first, the directories made for it."""
    return _discard(directory, name) + "\n"


def _discard(directory: StackDirectory, name: str) -> str:
    releases = _join(directory.path, "releases")
    others = f"{_join(directory.path, 'incoming')} {_join(directory.path, 'shared')} {shlex.quote(directory.path)}"
    return (
        f"rm -rf {shlex.quote(directory.incoming(name))}; "
        f"if rmdir {releases} 2>/dev/null; then rmdir {others} 2>/dev/null || true; fi"
    )


def _keep_state(path: str, directory: StackDirectory, place: str, is_file: bool) -> list[str]:
    """Create a writable path once: a file from its seed, a directory from what was shipped for its readers."""
    kept, parent = _join(directory.shared, path), _join(directory.shared, posixpath.dirname(path))
    if is_file:
        return [f"mkdir -p {parent}", f"[ -e {kept} ] || cp -p {_join(place, SEED, path)} {kept}"]
    here = _join(place, FILES, path)
    return [f"if ! [ -e {kept} ]; then mkdir -p {kept}; if [ -d {here} ]; then cp -Rp {here}/. {kept}; fi; fi"]


def _outermost(paths: Iterable[str]) -> list[str]:
    """The paths that lie in no other one: a link to a directory leads to what is in it too."""
    paths = sorted(paths)
    return [p for p in paths if not any(p != other and posixpath.commonpath([p, other]) == other for other in paths)]


def _link_state(path: str, directory: StackDirectory, place: str) -> list[str]:
    here = _join(place, FILES, path)
    return [
        f"mkdir -p {_join(place, FILES, posixpath.dirname(path))}",
        f"rm -rf {here}",
        f"ln -s {_join(directory.shared, path)} {here}",
    ]


def _join(*parts: str) -> str:
    return shlex.quote(posixpath.join(*parts))
