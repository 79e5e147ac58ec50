"""The services of compose files as they are written: every file's part of them, and what they extend."""

import os.path
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.core.control.beginning.images import by_default
from flows.core.stack.compose_files import documents_of, included_files

# More than any stack has; Compose itself refuses a circle.
_DEEPEST = 50


@dataclass(frozen=True)
class WrittenServices:
    """The services of a project, without an engine's word on them.

    Args:
        specs: service → its fields, those of all files and of what it extends together.
        files: service → the compose files that speak of it, the one that defines it first.
        bases: service → the services of the project that it extends.
    """

    specs: Mapping[str, Mapping[str, Any]] = field(hash=False)
    files: Mapping[str, tuple[str, ...]] = field(hash=False)
    bases: Mapping[str, frozenset[str]] = field(hash=False)


def written_services(given: tuple[str, ...], texts: Mapping[str, str]) -> WrittenServices:
    """The services of the given compose files and of those they include.

    Args:
        texts: absolute path → text, of these and of those they include or extend. What is not among them is left out.

    Raises:
        BrokenStack: one is no compose file.
    """
    documents = {path: documents_of(path, text) for path, text in texts.items()}
    parts = {path: _services(some) for path, some in documents.items()}
    specs: dict[str, Mapping[str, Any]] = {}
    defining: dict[str, list[str]] = {}
    adding: dict[str, list[str]] = {}
    bases: dict[str, frozenset[str]] = {}
    for path in _project(given, documents):
        for name, spec in parts[path].items():
            found, extended = _whole(name, path, parts, ())
            specs[name] = _merged(specs.get(name, {}), found)
            bases[name] = bases.get(name, frozenset()) | extended
            (defining if {"image", "build"} & spec.keys() else adding).setdefault(name, []).append(path)
    files = {name: (*defining.get(name, ()), *adding.get(name, ())) for name in specs}
    return WrittenServices(specs, files, bases)


def _project(given: tuple[str, ...], documents: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    """The given files and those they include, each once."""
    queue, seen = list(given), set[str]()
    while queue:
        path = os.path.normpath(queue.pop(0))
        if path in seen or path not in documents:
            continue
        seen.add(path)
        yield path
        for document in documents[path]:
            queue += [os.path.join(os.path.dirname(path), by_default(other)) for other in included_files(document)]


def _services(documents: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for document in documents:
        services = document.get("services")
        for name, spec in services.items() if isinstance(services, dict) else ():
            if isinstance(spec, dict):
                found[name] = _merged(found.get(name, {}), spec)
    return found


def _whole(
    name: str, path: str, parts: Mapping[str, Mapping[str, dict[str, Any]]], on_the_way: tuple[tuple[str, str], ...]
) -> tuple[dict[str, Any], frozenset[str]]:
    """A service with what it extends, and the names of these in its own file."""
    spec = parts.get(path, {}).get(name, {})
    extends = spec.get("extends")
    if not extends or (name, path) in on_the_way or len(on_the_way) >= _DEEPEST:
        return spec, frozenset()
    said = extends if isinstance(extends, Mapping) else {"service": extends}
    other, file = str(said.get("service") or ""), str(said.get("file") or "")
    place = os.path.normpath(os.path.join(os.path.dirname(path), by_default(file))) if file else path
    base, further = _whole(other, place, parts, (*on_the_way, (name, path)))
    return _merged(base, spec), frozenset({other, *further})


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both together, as Compose merges them but for its finer rules: lists are joined, the later scalar wins."""
    found = dict(base)
    for key, value in over.items():
        old = found.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            found[key] = _merged(old, value)
        elif isinstance(old, list) and isinstance(value, list) and key != "test":
            found[key] = [*old, *value]
        else:
            found[key] = value
    return found
