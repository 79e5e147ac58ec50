"""Writes compose files as people do: block style, with scalars that stand without quotes where they may."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.generated.strings import Plain

_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


class Tagged:
    """A value with a tag of Compose's: `!reset` or `!override`."""

    def __init__(self, tag: str, value: Any) -> None:
        self.tag, self.value = tag, value

    def __repr__(self) -> str:
        return f"{self.tag} {self.value!r}"


class Anchored(dict[str, Any]):
    """A mapping that others take over by the anchor `&common`."""


def write_yaml(document: Mapping[str, Any]) -> str:
    """A document in block style."""
    return "\n".join(_lines(document, 0)) + "\n"


def _lines(value: Any, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _entry(f"{indent}{_key(key)}:", item, depth)
    else:
        for item in value:
            yield from _entry(f"{indent}-", item, depth)


def _entry(head: str, item: Any, depth: int) -> Iterator[str]:
    if isinstance(item, Tagged):
        head, item = f"{head} {item.tag}", item.value
    if isinstance(item, Anchored):
        head = f"{head} &common"
    if isinstance(item, Mapping | list) and item:
        yield head
        yield from _lines(item, depth + 1)
    elif isinstance(item, str) and re.fullmatch(r"[!-~]+(\n[!-~]+)*\n?", item) and "\n" in item:
        yield f"{head} {'|' if item.endswith(chr(10)) else '|-'}"
        yield from (f"{'  ' * (depth + 1)}{line}" for line in item.removesuffix("\n").split("\n"))
    else:
        yield f"{head} {_scalar(item)}"


def _key(key: Any) -> str:
    if key == "<<":
        return "<<"
    return str(key) if re.fullmatch(r"(?!null$)[A-Za-z][\w-]*", str(key)) else _quoted(str(key))


def _scalar(value: Any) -> str:
    if isinstance(value, Plain):
        return value.text
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(text, ensure_ascii=False))
