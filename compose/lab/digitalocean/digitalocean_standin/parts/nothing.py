"""Parts that do nothing real, for tests of the API's form."""

from __future__ import annotations

import itertools
from typing import Any

from . import Parts


class Nothing:
    """Containers, balancers, names and addresses that are only numbers."""

    def __init__(self) -> None:
        self._hosts = itertools.count(10)
        self.log: list[tuple[Any, ...]] = []

    def create(self, id: int, name: str, snapshot: str | None, keys: list[Any], user_data: str) -> tuple[str, str]:
        self.log.append(("create", id, name, snapshot))
        return f"container-{id}", f"192.0.2.{next(self._hosts)}"

    def destroy(self, id: int, container: str) -> None:
        self.log.append(("destroy", id))

    def power(self, container: str, type: str) -> str:
        self.log.append((type, container))
        return ""

    def snapshot(self, container: str, id: str) -> int:
        self.log.append(("snapshot", id))
        return 1_500_000_000

    def drop_snapshot(self, id: str) -> None:
        self.log.append(("drop", id))

    def serve(self, balancer: dict[str, Any], members: dict[int, str]) -> str:
        self.log.append(("serve", balancer["name"], tuple(sorted(members))))
        return "192.0.2.5"

    def remove(self, balancer: dict[str, Any]) -> None:
        self.log.append(("remove", balancer["name"]))

    def write(self, domains: dict[str, list[dict[str, Any]]]) -> None:
        self.log.append(("write", tuple(domains)))

    def free(self, taken: set[str]) -> str:
        return f"198.51.100.{len(taken) + 1}"

    def move(self, ip: str, source: str, target: str) -> None:
        self.log.append(("move", ip, target))


def nothing(registry: Any = None) -> Parts:
    """All of them, of one kind."""
    it = Nothing()
    return Parts(it, it, it, it, registry)
