"""Compares two readings of one stack: what Compose resolved here, and on a droplet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_ABSENT = "nothing"


@dataclass(frozen=True)
class Difference:
    """One field that two readings disagree about. Values hold secrets until they are masked."""

    field: str
    here: str
    there: str

    def __str__(self) -> str:
        return f"{self.field}: {self.here!r} here, {self.there!r} there"


def differences(here: Mapping[str, Any], there: Mapping[str, Any], *, same_version: bool = True) -> list[Difference]:
    """Every field that differs, by its path.

    Args:
        same_version: both were read by the same version of Compose. Versions differ in which defaults they write out,
            so between two of them a field that only one has is no difference.
    """
    mine, theirs = dict(leaves(here)), dict(leaves(there))
    fields = sorted(mine.keys() | theirs.keys()) if same_version else sorted(mine.keys() & theirs.keys())
    return [
        Difference(field, mine.get(field, _ABSENT), theirs.get(field, _ABSENT))
        for field in fields
        if mine.get(field, _ABSENT) != theirs.get(field, _ABSENT)
    ]


def leaves(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Every field of what Compose printed, by its path, with its value as text."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaves(item, f"{at}.{key}" if at else str(key))
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from leaves(item, f"{at}[{number}]")
    else:
        yield at, str(value)
