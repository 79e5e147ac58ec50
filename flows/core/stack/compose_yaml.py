"""YAML as Compose reads and writes it: version 1.2, where PyYAML's own is 1.1.

In 1.1 `1234e56`, `yes`, `12:30`, `1_000` or `=` mean something else than in 1.2. So what Compose printed is read by the
core schema of 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema), and what Compose is to read is written as JSON, every
string of it quoted.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from flows.core.answers import reads
from flows.core.stack.yaml_limits import refuse_too_large

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_BASES = {"0o": 8, "0x": 16}
# Characters that JSON takes as they are, and YAML does not.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


class Reset:
    """Compose's `!reset`: takes away what the files before this one said."""


@dataclass(frozen=True)
class Override:
    """Compose's `!override`: takes the place of what the files before this one said."""

    value: Any


class _CoreLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader with the core schema; the fast parser where PyYAML has it."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 — PyYAML's own way


def _construct_int(_loader: Any, node: yaml.ScalarNode) -> int:
    text = node.value
    return int(text[2:], _BASES[text[:2]]) if text[:2] in _BASES else int(text)


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", _INT.pattern, list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
     list("-+.0123456789")),
):  # fmt: skip
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})\\Z"), _first)
_CoreLoader.add_constructor("tag:yaml.org,2002:int", _construct_int)


@reads("what `docker compose config` printed")
def load_config(text: str) -> dict[str, Any]:
    """Parse what `docker compose config` printed."""
    refuse_too_large(text, _CoreLoader)
    loaded: dict[str, Any] = yaml.load(text, Loader=_CoreLoader)  # noqa: S506 — a SafeLoader
    return loaded


@reads("what `docker compose config` printed")
def load_service(printed: str, service: str) -> dict[str, Any]:
    """One service of what `docker compose config --format json` printed."""
    found: dict[str, Any] = json.loads(printed)["services"][service]
    if not isinstance(found, dict):
        raise TypeError
    return found


def dump_compose(document: Mapping[str, Any]) -> bytes:
    """Write a compose file that Compose reads back as exactly this; equal documents give equal bytes."""
    return f"{_written(document)}\n".encode()


def _written(value: Any) -> str:
    if isinstance(value, Reset):
        return "!reset null"
    if isinstance(value, Override):
        return f"!override {_written(value.value)}"
    if isinstance(value, Mapping):
        entries = ", ".join(f"{_written(str(key))}: {_written(value[key])}" for key in sorted(value))
        return f"{{{entries}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
