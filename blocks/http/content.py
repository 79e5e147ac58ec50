"""JSON of others: whatever is wrong with it is a ValueError."""

import json
from typing import Any


def read_json(text: str | bytes) -> Any:
    """Parse JSON of any content.

    Raises:
        ValueError: it is none, or nested too deeply to be read.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_mapping(text: str | bytes) -> dict[str, Any] | None:
    """Parse JSON of any content; None where it is no mapping."""
    try:
        found = read_json(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
