"""The observations, newest first, in memory and bounded; readable a moment after they were sent."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Any

Json = dict[str, Any]


class Store:
    """Up to `limit` observations. What is added can be read `delay` seconds later, as with the real server,
    whose ingestion is a queue: a client that reads once, at once, is wrong and should find out here."""

    def __init__(self, limit: int = 20_000, delay: float = 0.3) -> None:
        self._limit, self._delay = limit, delay
        self._kept: OrderedDict[tuple[str, str], tuple[float, Json]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, observations: list[Json]) -> None:
        """Keep `observations`; a span sent again replaces itself; the oldest make room."""
        visible = time.monotonic() + self._delay
        with self._lock:
            for observation in observations:
                self._kept[observation["traceId"], observation["id"]] = (visible, observation)
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)

    def visible(self) -> list[Json]:
        """What can be read now, by start time, newest first."""
        now = time.monotonic()
        with self._lock:
            ready = [observation for visible, observation in self._kept.values() if visible <= now]
        names = {o["traceId"]: o["traceName"] for o in ready if o["traceName"] is not None}
        named = (o if o["traceName"] is not None else {**o, "traceName": names.get(o["traceId"])} for o in ready)
        return sorted(named, key=order, reverse=True)


def order(observation: Json) -> tuple[str, str, str]:
    """Where an observation stands in the list; unique, so that a cursor can point at it."""
    return observation["startTime"], observation["traceId"], observation["id"]
