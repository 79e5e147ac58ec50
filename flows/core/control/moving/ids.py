"""The ids of what was carried: each thing gets a new one, and whatever names it is told."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from flows.core.errors import BadExport

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def with_new_ids(value: Any, ids: Mapping[str, str]) -> Any:
    """The value with every known id in it replaced, also within words such as `prefect.deployment.ID`.

    Args:
        ids: the old ones → the new ones; others stay.
    """
    if isinstance(value, str):
        return _ID.sub(lambda found: ids.get(found[0], found[0]), value)
    if isinstance(value, list):
        return [with_new_ids(one, ids) for one in value]
    if isinstance(value, dict):
        return {with_new_ids(key, ids): with_new_ids(inner, ids) for key, inner in value.items()}
    return value


def blocks_in_order(blocks: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The blocks, each after those that it holds.

    Raises:
        BadExport: they hold each other.
    """
    waiting = {str(block["id"]): block for block in blocks}
    ordered: list[Mapping[str, Any]] = []
    while waiting:
        free = [name for name, one in waiting.items() if not waiting.keys() & set(one.get("references", {}).values())]
        if not free:
            raise BadExport(f"the export's blocks hold each other: {', '.join(sorted(waiting))[:300]}")
        ordered += [waiting.pop(name) for name in free]
    return ordered
