"""What the stand-in knows: the account with all it has, and what a test wants it to do wrong."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
KEPT = 20_000
DEFAULTS: Json = {
    "status": "active", "status_message": "", "droplet_limit": 25, "rate_hour": 5000, "rate_minute": 250,
    "action_seconds": 0.5, "tier": "professional", "firewalls": [],
    "token_seconds": 30, "collection_seconds": 0, "reserved_ip_limit": 5,
}  # fmt: skip
REGION: Json = {
    "name": "New York 3", "slug": "nyc3", "features": ["backups", "ipv6", "metadata"], "available": True,
    "sizes": ["s-1vcpu-1gb", "s-2vcpu-4gb"],
}  # fmt: skip
REGIONS = {"nyc3": REGION, "fra1": {**REGION, "name": "Frankfurt 1", "slug": "fra1"}}


class Cloud:
    """One account. Every change is made under its lock.

    Args:
        token: the API token that may do everything.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """As if nothing had ever been asked."""
        with self.lock:
            self.settings = dict(DEFAULTS)
            self.tokens: dict[str, Json] = {self.token: {"id": "lab", "scopes": None, "expires": None}}
            self.droplets: dict[int, Json] = {}
            self.snapshots: dict[str, Json] = {}
            self.tags: set[str] = set()
            self.actions: dict[int, Json] = {}
            self.balancers: dict[str, Json] = {}
            self.domains: dict[str, list[Json]] = {}
            self.reserved: dict[str, Json] = {}
            self.registries: dict[str, Json] = {}
            self.collections: dict[str, list[Json]] = {}
            self.faults: list[Json] = []
            self.exchanges: deque[Json] = deque(maxlen=KEPT)
            self.asked: deque[float] = deque()
            self._ids = itertools.count(1001)
            self._exchange_numbers = itertools.count(1)

    def new_id(self) -> int:
        """A number that nothing else has."""
        return next(self._ids)

    def record(self, exchange: Json) -> None:
        """Keep a request and its answer."""
        self.exchanges.append({"n": next(self._exchange_numbers), **exchange})

    def begin(
        self, type: str, resource_id: int | None, resource_type: str, work: Callable[[], object], fault: Json | None
    ) -> Json:
        """An action that takes a while; `work` is done in its course.

        Args:
            fault: makes it end with an error, or never.
        """
        with self.lock:
            action = {
                "id": self.new_id(), "status": "in-progress", "type": type, "started_at": now(),
                "completed_at": None, "resource_id": resource_id, "resource_type": resource_type,
                "region": REGION, "region_slug": REGION["slug"],
            }  # fmt: skip
            self.actions[action["id"]] = action
        act = (fault or {}).get("act")
        seconds = float(self.settings["action_seconds"])

        def carry_out() -> None:
            began, status = time.monotonic(), "completed"
            time.sleep(seconds / 2)
            try:
                if act == "error_action":
                    status = "errored"
                else:
                    work()
            except Exception as error:  # an action of the real one ends errored, without a word
                action["why"], status = str(error), "errored"
                print(f"{type} of {resource_id}: {error}", flush=True)
            time.sleep(max(0.0, seconds - (time.monotonic() - began)))
            with self.lock:
                action["status"], action["completed_at"] = status, now()

        if act != "stuck_action":
            threading.Thread(target=carry_out, daemon=True).start()
        return action


def now() -> str:
    """This moment as the API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
