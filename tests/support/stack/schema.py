"""The fields of the official Compose schema, those that a document uses, and the table of them in docs/STACK.md."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tests import CHECKOUT

SCHEMA = CHECKOUT.parent / "shared" / "specs" / "compose-spec.json"
PAGE = CHECKOUT / "docs" / "STACK.md"
SECTION = "## Every field"
VERDICTS = ("same", "differs", "refused")
# Played by no stack of the tests.
UNPLAYED = "†"


@dataclass(frozen=True)
class Row:
    """A field in the table: what becomes of it, and whether a stack of the tests plays it."""

    field: str
    verdict: str
    note: str
    played: bool


class Schema:
    """The schema, walked field by field. A name that the user chooses, such as a service's, is no part of a path."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._root = document

    @classmethod
    def read(cls) -> "Schema":
        return cls(json.loads(SCHEMA.read_text()))

    def fields(self) -> set[str]:
        """Every field, by its path: `services.deploy.resources`."""
        return set(self._fields(self._root, "", ()))

    def used(self, document: Any) -> set[str]:
        """The fields that a compose file has."""
        return set(self._used(document, self._root, ""))

    def _fields(self, node: Mapping[str, Any], at: str, above: tuple[int, ...]) -> Iterator[str]:
        for one in self._forms(node):
            if id(one) in above:
                continue
            inside = (*above, id(one))
            for name, spec in one.get("properties", {}).items():
                yield f"{at}{name}"
                yield from self._fields(spec, f"{at}{name}.", inside)
            for pattern, spec in one.get("patternProperties", {}).items():
                if not pattern.startswith("^x-"):
                    yield from self._fields(spec, at, inside)
            for key in ("items", "additionalProperties"):
                if isinstance(one.get(key), Mapping):
                    yield from self._fields(one[key], at, inside)

    def _used(self, value: Any, node: Mapping[str, Any], at: str) -> Iterator[str]:
        for one in self._forms(node):
            if isinstance(value, list) and isinstance(one.get("items"), Mapping):
                for item in value:
                    yield from self._used(item, one["items"], at)
            for name, item in value.items() if isinstance(value, Mapping) else ():
                if name in one.get("properties", {}):
                    yield f"{at}{name}"
                    yield from self._used(item, one["properties"][name], f"{at}{name}.")
                    continue
                for pattern, spec in one.get("patternProperties", {}).items():
                    if not pattern.startswith("^x-") and re.search(pattern, str(name)):
                        yield from self._used(item, spec, at)

    def _forms(self, node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """A node, and what it refers to or may be instead."""
        if "$ref" in node:
            yield from self._forms(self._root["definitions"][node["$ref"].rsplit("/", 1)[1]])
        else:
            yield node
        for key in ("oneOf", "anyOf", "allOf"):
            for other in node.get(key, ()):
                yield from self._forms(other)


def rows_on_the_page(text: str | None = None) -> list[Row]:
    """The rows of the table: under each heading (a path in backticks) names, the verdict, a note."""
    page = PAGE.read_text() if text is None else text
    section = page.partition(f"\n{SECTION}\n")[2].partition("\n## ")[0]
    found: list[Row] = []
    prefix = ""
    for line in section.splitlines():
        if heading := re.match(r"### (?:`([\w.]+)`)?", line):
            prefix = f"{heading[1]}." if heading[1] else ""
        elif line.startswith("| `"):
            names, verdict, note = (cell.strip() for cell in line.strip("|").split(" | "))
            marked = re.findall(rf"`([\w.]+)`({UNPLAYED}?)", names)
            found += [Row(f"{prefix}{name}", verdict, note, not mark) for name, mark in marked]
    return found


def stacks_of_the_tests() -> Iterator[Any]:
    """The compose files that are released in the lab, without their tags."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda *_: None)
    for pattern in ("tests/stacks/**/*.yaml", "compose/docker-compose.yml"):
        for file in CHECKOUT.glob(pattern):
            yield yaml.load(file.read_text(), Loader=Loader)
