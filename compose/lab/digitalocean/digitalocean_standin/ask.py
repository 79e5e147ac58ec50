"""One request as its handler sees it, and pages of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import ApiError, unprocessable

Json = dict[str, Any]
LONGEST = 200


@dataclass
class Ask:
    """Method, path with its parts, query, body; and the fault that is played, if one is."""

    method: str
    path: str
    parts: dict[str, str]
    query: dict[str, str]
    body: Json = field(default_factory=dict)
    fault: Json | None = None

    def number(self, name: str) -> int:
        """A part of the path that is a number."""
        try:
            return int(self.parts[name])
        except ValueError:
            raise ApiError(404, "The resource you were accessing could not be found.") from None

    def need(self, *names: str) -> list[Any]:
        """Fields that the body must have."""
        for name in names:
            if self.body.get(name) in (None, ""):
                raise unprocessable(f"{name} is required")
        return [self.body[name] for name in names]


def page(ask: Ask, key: str, items: Sequence[Json]) -> Json:
    """One page of a list, with the official `links` and `meta`."""
    try:
        number, size = int(ask.query.get("page", 1)), int(ask.query.get("per_page", 20))
    except ValueError:
        raise unprocessable("page and per_page are numbers") from None
    if not 1 <= size <= LONGEST or number < 1:
        raise unprocessable(f"per_page is 1 to {LONGEST}")
    last = max(1, -(-len(items) // size))
    base = f"https://api.digitalocean.com{ask.path}?per_page={size}&page="
    links: Json = {}
    if number < last:
        links |= {"next": f"{base}{number + 1}", "last": f"{base}{last}"}
    if number > 1:
        links |= {"first": f"{base}1", "prev": f"{base}{number - 1}"}
    found = list(items[(number - 1) * size : number * size])
    if ask.fault and ask.fault.get("act") == "shift_page" and number > 1:
        return {key: list(items[(number - 1) * size - 1 : number * size - 1]),
                "links": {"pages": links}, "meta": {"total": len(items) + 1}}  # fmt: skip
    return {key: found, "links": {"pages": links} if links else {}, "meta": {"total": len(items)}}
