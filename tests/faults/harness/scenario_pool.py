"""Plays cases side by side: each on a stage of its own, as many at a time as there are stages.

A case mostly waits (for containers, for Prefect, for a lease), so three at a time take little longer than one.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

from tests.faults.harness.fault_report import Case

# A Stage or a Pair: it has a `case`, and is made ready for the next one by `clear(failed)`.
Play = Callable[[Any], None]
OpenStage = Callable[[], AbstractContextManager[Any]]
PATIENCE = 600.0


class ScenarioPool:
    """Use it as a context manager: at its end every stage is cleared away.

    Args:
        openers: one for each stage; a stage is opened when it is first needed.
    """

    def __init__(self, openers: Sequence[OpenStage]) -> None:
        self._closed: queue.SimpleQueue[OpenStage] = queue.SimpleQueue()
        for opener in openers:
            self._closed.put(opener)
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._open: list[AbstractContextManager[Any]] = []
        self._opening = threading.Lock()
        self._pool = ThreadPoolExecutor(len(openers), thread_name_prefix="crew")

    def begin(self, case: Case, play: Play) -> "Future[None]":
        """Have a case played as soon as a stage is free."""
        return self._pool.submit(self._play, case, play)

    def __enter__(self) -> "ScenarioPool":
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        for context in reversed(self._open):
            context.__exit__(None, None, None)

    def _play(self, case: Case, play: Play) -> None:
        stage = self._stage()
        stage.case, began, well = case, time.monotonic(), False
        try:
            play(stage)
            well = True
        finally:
            case.seconds = time.monotonic() - began
            stage.clear(failed=not well)
            self._free.put(stage)

    def _stage(self) -> Any:
        try:
            return self._free.get_nowait()
        except queue.Empty:
            pass
        with self._opening:  # blocks are saved, and that is for one at a time
            try:
                context = self._closed.get_nowait()()
            except queue.Empty:
                return self._free.get(timeout=PATIENCE)
            stage = context.__enter__()
            self._open.append(context)
            return stage
