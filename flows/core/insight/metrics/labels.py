"""Labels and numbers that others wrote, in bounds: a droplet's records cannot make a thousand series, or break one."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime

LONGEST = 128
OTHER = "other"


def label(name: str) -> str:
    """Text as the value of a label: printable, and not longer than a name is."""
    return "".join(one if one.isprintable() else "�" for one in name[:LONGEST])


def bounded(values: Iterable[str], most: int) -> dict[str, str]:
    """Value → its label: those that come first have one of their own, the others share one."""
    found: dict[str, str] = {}
    for value in values:
        if value not in found:
            found[value] = label(value) if len(found) < most else OTHER
    return found


def plain(value: float | None) -> float | None:
    """A measured number; None where it is none: negative, infinite, or too large for anybody to have measured it."""
    try:
        number = float(value) if value is not None else -1.0
    except OverflowError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def timestamp(when: str | None) -> float | None:
    """Seconds since the epoch of a time in ISO 8601; None for what is no such time."""
    try:
        said = datetime.fromisoformat(when or "")
        return plain((said if said.tzinfo else said.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None


def seconds_between(began: str | None, ended: str | None) -> float | None:
    """Seconds from one time to another; None where one is not known, or a clock was put back."""
    first, last = timestamp(began), timestamp(ended)
    return None if first is None or last is None else plain(last - first)
