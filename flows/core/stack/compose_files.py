"""The text of compose files: the files they include, and the line of a value."""

import os.path
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import yaml

from flows.core.errors import BrokenStack
from flows.core.stack.yaml_limits import YamlTooLarge, compose_documents

# Two links that lead to where they stand make ever more paths of one file.
_MOST_FILES = 1000
_QUOTED = re.compile(r"""'(?!<)[^']*'|"(?!<)[^"]*\"""")


def collect_files(
    given: Iterable[str],
    read: Callable[[str], str],
    resolve: Callable[[str], str] = lambda text: text,
    *,
    follow: bool = True,
) -> dict[str, str]:
    """Return absolute path → text of the given compose files and of those they include or extend, in that order.

    Args:
        resolve: interpolates a path that holds a variable.
        follow: False: only those that are given.

    Raises:
        BrokenStack: one of them is missing, or no YAML mapping; or there is no end of them.
    """
    found: dict[str, str] = {}
    queue = [(path, "") for path in given]
    while queue:
        path, asked_by = queue.pop(0)
        path = os.path.normpath(path)
        if path in found:
            continue
        if len(found) >= _MOST_FILES:
            raise BrokenStack(
                f"{next(iter(found))} includes or extends more than {_MOST_FILES} files, the last of them {asked_by}. "
                "Does a link lead to itself?"
            )
        try:
            found[path] = read(path)
        except OSError as error:
            raise BrokenStack(f"{asked_by or path} refers to {path}: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise BrokenStack(f"{path} is no text file in UTF-8. Is it the compose file that is meant?") from None
        base = os.path.dirname(path)
        for document in documents_of(path, found[path]) if follow else ():
            others = (resolve(other) if "$" in other else other for other in referred_files(document))
            queue += [(os.path.join(base, other), path) for other in others]
    return found


def scalars(text: str) -> Iterator[str]:
    """Every scalar of a YAML text, keys included."""
    for root in root_nodes(text):
        for node in _scalar_nodes(root):
            yield node.value


def locate(texts: Mapping[str, str], service: str, fields: Iterable[str], needle: str) -> str:
    """Find `FILE:LINE` of a text in fields of a service, in the last file that has it; else the files' names.

    Later files win in Compose. Merge keys are followed to the text itself.
    """
    for name, text in reversed(list(texts.items())):
        holders = [_child(_child(root, "services"), service) for root in root_nodes(text)]
        for node in (n for holder in holders for field in fields for n in _scalar_nodes(_child(holder, field))):
            if needle in node.value:
                return f"{name}:{node.start_mark.line + 1}"
    return ", ".join(texts)


def documents_of(path: str, text: str) -> list[dict[str, Any]]:
    """The documents of a compose file as mappings; every scalar is the string that stands there.

    Raises:
        BrokenStack: it is no YAML, or holds no mapping.
    """
    try:
        documents = [_plain(root) for root in root_nodes(text)]
    except yaml.YAMLError as error:
        raise BrokenStack(
            f"{path} is not YAML: {_complaint(error)}. Mend it and check it with `docker compose config`"
        ) from None
    mappings = [document for document in documents if isinstance(document, dict)]
    if not mappings or len(mappings) < len(documents):
        raise BrokenStack(f"{path} holds no compose project: it needs a `services:` mapping")
    return mappings


def _complaint(error: yaml.YAMLError) -> str:
    """What is wrong and in which line, without a word of the file: whoever named it may not be who may read it."""
    if isinstance(error, YamlTooLarge):
        return str(error)
    if not isinstance(error, yaml.MarkedYAMLError):
        return "it has characters that YAML does not allow"
    place = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
    return place + _QUOTED.sub("…", error.problem or "it cannot be read")


@lru_cache(maxsize=32)  # a text is looked through for many things, and parsing it takes longer than all of them
def root_nodes(text: str) -> tuple[yaml.Node, ...]:
    """The root nodes of a YAML text. PyYAML refuses tabs between words, which Compose's reader takes.

    Raises:
        yaml.YAMLError
    """
    try:
        return tuple(compose_documents(text))
    except yaml.YAMLError:
        if "\t" not in text:
            raise
        return tuple(compose_documents(text.replace("\t", " ")))


def _plain(node: yaml.Node) -> Any:
    """A node as strings, lists and dicts; tags (`!reset`, `!override`) are passed over, merge keys followed."""
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) for item in node.value]
    if not isinstance(node, yaml.MappingNode):
        return node.value
    own: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    for key, value in node.value:
        if key.tag == "tag:yaml.org,2002:merge" or key.value == "<<":
            for other in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                plain = _plain(other)
                merged = {**(plain if isinstance(plain, dict) else {}), **merged}
        else:
            own[str(key.value)] = _plain(value)
    return {**merged, **own}


def included_env_files(texts: Mapping[str, str], resolve: Callable[[str], str] = lambda text: text) -> dict[str, bool]:
    """The env files that `include` entries are interpolated with: absolute path → whether it must be there.

    Without `env_file`, an included project has the `.env` of its own directory
    (https://docs.docker.com/reference/compose-file/include/).
    """
    found: dict[str, bool] = {}
    for path, text in texts.items():
        base = os.path.dirname(path)
        entries = (entry for document in documents_of(path, text) for entry in _list(document.get("include")) if entry)
        for entry in entries:
            long = entry if isinstance(entry, Mapping) else {"path": entry}
            first = next((p for p in _list(long.get("path")) if isinstance(p, str)), "")
            if named := [p for p in _list(long.get("env_file")) if isinstance(p, str) and p]:
                found |= {os.path.normpath(os.path.join(base, resolve(file))): True for file in named}
            elif first:
                place = long.get("project_directory") or os.path.dirname(resolve(first))
                found.setdefault(os.path.normpath(os.path.join(base, resolve(str(place)), ".env")), False)
    return found


def referred_files(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The compose files that a document includes or extends, as it names them."""
    return (*included_files(document), *_extended(document))


def included_files(document: Mapping[str, Any]) -> Iterator[str]:
    """The compose files that a document includes, as it names them."""
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
