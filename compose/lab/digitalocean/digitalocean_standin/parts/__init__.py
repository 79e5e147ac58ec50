"""The real things behind the API: containers, HAProxy, NSD, addresses, a registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Parts:
    """What the handlers are given."""

    engine: Any
    balancers: Any
    names: Any
    addresses: Any
    registry: Any
