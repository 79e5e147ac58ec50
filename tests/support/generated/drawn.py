"""Draws values that are the same each time."""

from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

Drawn = TypeVar("Drawn")
_ALIKE: dict[str, Any] = {
    "database": None,
    "derandomize": True,
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
}


def drawn(strategy: st.SearchStrategy[Drawn], number: int) -> list[Drawn]:
    """So many values of a strategy, or a few more."""
    found: list[Drawn] = []

    @settings(max_examples=number, phases=[Phase.generate], **_ALIKE)
    @given(strategy)
    def collect(value: Drawn) -> None:
        found.append(value)

    collect()
    return found
