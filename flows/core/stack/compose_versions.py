"""Which version of Compose a stack asks for: each field of its files that a release after 2.20 brought.

From the schema that each release of Compose reads (compose-spec/compose-go, schema/compose-spec.json) and, for tags,
from its release notes. An older Compose refuses such a file, or reads past the field without a word.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import yaml

from flows.core.stack.compose_files import root_nodes

# Field → the first release that knows it. `*` is any name, `[]` any entry of a list, `=` a value.
FIELDS: dict[str, str] = {
    "services.*.healthcheck.start_interval": "2.20.2",
    "services.*.develop": "2.22.0",
    "services.*.develop.watch[].action=sync+restart": "2.23.0",
    "configs.*.content": "2.23.1",
    "configs.*.environment": "2.23.1",
    "services.*.build.ulimits": "2.23.1",
    "services.*.networks.*.mac_address": "2.23.2",
    "services.*.env_file[].path": "2.24.0",
    "services.*.env_file[].required": "2.24.0",
    "services.*.ports[].app_protocol": "2.25.0",
    "services.*.ports[].name": "2.25.0",
    "services.*.volumes[].volume.subpath": "2.25.0",
    "services.*.build.entitlements": "2.27.0",
    "services.*.networks.*.driver_opts": "2.27.1",
    "services.*.devices[].source": "2.29.3",
    "services.*.env_file[].format": "2.30.0",
    "services.*.gpus": "2.30.0",
    "services.*.post_start": "2.30.0",
    "services.*.pre_stop": "2.30.0",
    "services.*.volumes[].bind.recursive": "2.30.0",
    "services.*.develop.watch[].action=restart": "2.32.0",
    "services.*.develop.watch[].action=sync+exec": "2.32.0",
    "services.*.develop.watch[].exec": "2.32.0",
    "services.*.label_file": "2.32.0",
    "networks.*.enable_ipv4": "2.33.0",
    "services.*.networks.*.gw_priority": "2.33.0",
    "services.*.develop.watch[].include": "2.34.0",
    "services.*.pull_policy=daily": "2.34.0",
    "services.*.pull_policy=every_": "2.34.0",
    "services.*.pull_policy=refresh": "2.34.0",
    "services.*.pull_policy=weekly": "2.34.0",
    "services.*.pull_refresh_after": "2.34.0",
    "services.*.provider": "2.35.0",
    "services.*.volumes[].image": "2.35.0",
    "services.*.volumes[].type=image": "2.35.0",
    "services.*.volumes[].volume.labels": "2.35.0",
    "services.*.networks.*.interface_name": "2.36.0",
    "services.*.use_api_socket": "2.37.2",
    "models": "2.38.0",
    "services.*.models": "2.38.0",
    "services.*.build.provenance": "2.39.0",
    "services.*.build.sbom": "2.39.0",
    "services.*.develop.watch[].initial_sync": "2.39.4",
    "services.*.build.no_cache_filter": "5.0.0",
    "services.*.pre_start": "5.3.0",
}
TAGS = {"!override": "2.24.4"}
# `every_12h` and the like are one value.
_PERIOD = re.compile(r"^every_\w+$")
_MERGE = "tag:yaml.org,2002:merge"
# Every path that leads to one of them: nothing else is looked into.
_LEADS = frozenset(field[:end] for field in FIELDS for end, sign in enumerate(field) if sign in ".[=")
_NAMED = frozenset(field[:end] for field in FIELDS for end in range(len(field)) if field.startswith(".*", end))


@dataclass(frozen=True)
class ComposeNeed:
    """A field that needs a version of Compose, and where it stands first (`FILE:LINE`)."""

    field: str
    version: str
    place: str

    def __str__(self) -> str:
        return f"{self.place} uses `{self.field}`, which needs Compose {self.version}"


def compose_needs(texts: Mapping[str, str]) -> tuple[ComposeNeed, ...]:
    """What the files of a stack ask of Compose, services that are switched off included: it checks whole files.

    Args:
        texts: file name → its text. One that cannot be parsed asks for nothing; Compose itself says what is wrong.
    """
    found: dict[str, ComposeNeed] = {}
    for name, text in texts.items():
        try:
            documents = root_nodes(text)
        except yaml.YAMLError:
            continue
        tagged = [(node.tag, node, TAGS) for root in documents for node in _nodes(root, set()) if node.tag in TAGS]
        fields = [(path, node, FIELDS) for root in documents for path, node in _fields(root) if path in FIELDS]
        for field, node, table in (*fields, *tagged):
            place = f"{name}:{node.start_mark.line + 1}"
            found.setdefault(field, ComposeNeed(field.removeprefix("services.*."), table[field], place))
    return tuple(found.values())


def unknown_fields(complaint: str, needs: Iterable[ComposeNeed]) -> str:
    """What to add where Compose does not know a field, in a sentence: its line, and the Compose that knows it."""
    found = [str(need) for need in needs if f"Additional property {_last(need.field)} is not" in complaint]
    return f". {'; '.join(found)}" if found else ""


def _last(field: str) -> str:
    return field.rpartition(".")[2].partition("=")[0].removesuffix("[]")


def _fields(node: yaml.Node, path: str = "") -> Iterator[tuple[str, yaml.Node]]:
    """Every field that may be in `FIELDS`, as its path, and the node that names its line. Merge keys are followed."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.tag == _MERGE:
                for merged in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    yield from _fields(merged, path)
                continue
            inner = f"{path}.*" if path in _NAMED else f"{path}.{key.value}" if path else str(key.value)
            yield inner, key
            if inner in _LEADS:
                yield from _fields(value, inner)
    elif isinstance(node, yaml.SequenceNode) and f"{path}[]" in _LEADS:
        for item in node.value:
            yield from _fields(item, f"{path}[]")
    elif isinstance(node, yaml.ScalarNode):
        yield f"{path}={_PERIOD.sub('every_', node.value)}", node


def _nodes(node: yaml.Node, seen: set[int]) -> Iterator[yaml.Node]:
    """Every node of a document, each once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    yield node
    for entry in node.value if isinstance(node, yaml.CollectionNode) else ():
        for inner in entry if isinstance(entry, tuple) else (entry,):
            yield from _nodes(inner, seen)
