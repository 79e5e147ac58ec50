"""The text of compose files: the files they include, and the line of a value."""

import os.path
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import yaml

from flows.core.errors import BrokenStack


class _Loader(yaml.SafeLoader):
    """Reads Compose's own tags (`!reset`, `!override`) as plain values."""


def _ignore_tag(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Loader.add_multi_constructor("!", _ignore_tag)


def collect_files(given: Iterable[str], read: Callable[[str], str]) -> dict[str, str]:
    """Collect absolute path → text of the compose files, and of those they include or extend, in that order.

    Raises:
        BrokenStack: one of them is missing, or no YAML mapping.
    """
    found: dict[str, str] = {}
    queue = [(path, "") for path in given]
    while queue:
        path, asked_by = queue.pop(0)
        path = os.path.normpath(path)
        if path in found:
            continue
        try:
            found[path] = read(path)
        except OSError as error:
            raise BrokenStack(f"{asked_by or path} refers to {path}: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise BrokenStack(f"{path} is no text file in UTF-8. Is it the compose file that is meant?") from None
        document = document_of(path, found[path])
        base = os.path.dirname(path)
        queue += [(os.path.join(base, other), path) for other in (*_included(document), *_extended(document))]
    return found


def load_config(text: str) -> dict[str, Any]:
    """Parse what `docker compose config` printed; with the fast parser where PyYAML has it."""
    loaded: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return loaded


def scalars(text: str) -> Iterator[str]:
    """Every scalar of a YAML text, keys included."""
    for node in _scalar_nodes(yaml.compose(text, Loader=yaml.SafeLoader)):
        yield node.value


def locate(texts: Mapping[str, str], service: str, fields: Iterable[str], needle: str) -> str:
    """Find `FILE:LINE` of a text in fields of a service, in the last file that has it; else the files' names.

    Later files win in Compose. Merge keys are followed to the text itself.
    """
    for name, text in reversed(list(texts.items())):
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        holder = _child(_child(root, "services"), service)
        for node in (node for field in fields for node in _scalar_nodes(_child(holder, field))):
            if needle in node.value:
                return f"{name}:{node.start_mark.line + 1}"
    return ", ".join(texts)


def document_of(path: str, text: str) -> Mapping[str, Any]:
    """Parse a compose file into a mapping.

    Raises:
        BrokenStack: it is not one.
    """
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 — a SafeLoader
    except yaml.YAMLError as error:
        raise BrokenStack(f"{path} is not YAML: {error}. Mend it and check it with `docker compose config`") from None
    if not isinstance(document, Mapping):
        raise BrokenStack(f"{path} holds no compose project: it needs a `services:` mapping")
    return document


def _included(document: Mapping[str, Any]) -> Iterator[str]:
    for entry in _list(document.get("include")):
        paths = entry.get("path") if isinstance(entry, Mapping) else entry
        yield from (path for path in _list(paths) if isinstance(path, str))


def _extended(document: Mapping[str, Any]) -> Iterator[str]:
    services = document.get("services")
    for service in services.values() if isinstance(services, Mapping) else ():
        extends = service.get("extends") if isinstance(service, Mapping) else None
        if isinstance(extends, Mapping) and isinstance(extends.get("file"), str):
            yield extends["file"]


def _list(value: Any) -> list[Any]:
    """The value as a list. Whatever is wrong with it, Compose says."""
    return value if isinstance(value, list) else [value]


def _child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    for name, value in node.value:
        if name.value == key:
            return value  # type: ignore[no-any-return]
    for name, value in node.value:
        if name.tag == "tag:yaml.org,2002:merge":
            for merged in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                found = _child(merged, key)
                if found is not None:
                    return found
    return None


def _scalar_nodes(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _scalar_nodes(item)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _scalar_nodes(key)
            yield from _scalar_nodes(value)
