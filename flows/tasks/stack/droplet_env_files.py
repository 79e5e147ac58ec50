"""Env files that are the droplet's own: their path is absolute in the compose file, so they are not on this host."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from flows.core.stack.compose_files import scalars
from flows.core.stack.compose_yaml import Override, dump_compose
from flows.tasks.stack.reading import ComposeReader

OVERRIDE = "slipway-override.json"
EnvFiles = Mapping[str, Sequence[Mapping[str, Any]]]


def env_files_of_services(
    given: Sequence[str], contents: Mapping[str, bytes], profiles: Sequence[str], reader: ComposeReader
) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """Service that is switched on → its `env_file` entries, their paths absolute.

    Args:
        given: the compose files, absolute.
        contents: absolute path → content of every file that Compose reads to print the stack without variables.
    """
    found: dict[str, tuple[Mapping[str, Any], ...]] = {}
    if any(b"env_file" in content for content in contents.values()):
        for name, spec in (reader.raw(given, contents, profiles).get("services") or {}).items():
            if not spec.get("profiles") or "*" in profiles or set(spec["profiles"]) & set(profiles):
                found[name] = tuple(_entries(spec.get("env_file"), reader))
    return found


def env_files_of_the_droplet(services: EnvFiles, texts: Iterable[str]) -> frozenset[str]:
    """Those whose absolute path stands in a compose file as it is."""
    spoken = {scalar for text in texts for scalar in scalars(text)}
    return frozenset(entry["path"] for entries in services.values() for entry in entries if entry["path"] in spoken)


def services_with(services: EnvFiles, paths: Collection[str]) -> frozenset[str]:
    """The services that have one of these env files."""
    return frozenset(name for name, entries in services.items() if any(entry["path"] in paths for entry in entries))


def without_env_files(services: EnvFiles, paths: Collection[str], directory: str) -> bytes:
    """A compose file for a directory that takes these env files from their services."""
    changed = services_with(services, paths)
    left = {
        name: [{**entry, "path": os.path.relpath(entry["path"], directory)} for entry in entries
               if entry["path"] not in paths]
        for name, entries in services.items() if name in changed
    }  # fmt: skip
    return dump_compose({"services": {name: {"env_file": Override(entries)} for name, entries in left.items()}})


def _entries(listed: Any, reader: ComposeReader) -> list[dict[str, Any]]:
    """The `env_file` entries of one service, each with the path that its variables make."""
    entries = [dict(entry) if isinstance(entry, Mapping) else {"path": entry} for entry in listed or ()]
    for entry in entries:
        head, dollar, tail = str(entry["path"]).partition("$")
        if dollar:  # Compose has put the project's directory before a path that may become absolute
            base, _, first = head.rpartition("/")
            entry["path"] = os.path.join(base, reader.resolve(f"{first}${tail}"))
        entry["path"] = os.path.normpath(entry["path"])
    return entries
