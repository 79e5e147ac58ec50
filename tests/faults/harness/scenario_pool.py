"""Cases run side by side: each in a scenario of its own, as many at a time as there are scenarios.

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

# A DropletScenario or a BlueGreenScenario: it has a `case`, and is made ready for the next one by `clear(failed)`.
RunCase = Callable[[Any], None]
OpenScenario = Callable[[], AbstractContextManager[Any]]
PATIENCE = 600.0


class ScenarioPool:
    """Use it as a context manager: at its end every scenario is cleared away.

    Args:
        openers: one for each scenario, which is opened when it is first needed.
    """

    def __init__(self, openers: Sequence[OpenScenario]) -> None:
        self._closed: queue.SimpleQueue[OpenScenario] = queue.SimpleQueue()
        for opener in openers:
            self._closed.put(opener)
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._open: list[AbstractContextManager[Any]] = []
        self._opening = threading.Lock()
        self._pool = ThreadPoolExecutor(len(openers), thread_name_prefix="case")

    def begin(self, case: Case, run: RunCase) -> "Future[None]":
        """Have a case run as soon as a scenario is free."""
        return self._pool.submit(self._run, case, run)

    def __enter__(self) -> "ScenarioPool":
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        for context in reversed(self._open):
            context.__exit__(None, None, None)

    def _run(self, case: Case, run: RunCase) -> None:
        scenario = self._free_scenario()
        scenario.case, began, well = case, time.monotonic(), False
        try:
            run(scenario)
            well = True
        finally:
            case.seconds = time.monotonic() - began
            scenario.clear(failed=not well)
            self._free.put(scenario)

    def _free_scenario(self) -> Any:
        try:
            return self._free.get_nowait()
        except queue.Empty:
            pass
        with self._opening:  # blocks are saved, and that is for one at a time
            try:
                context = self._closed.get_nowait()()
            except queue.Empty:
                return self._free.get(timeout=PATIENCE)
            scenario = context.__enter__()
            self._open.append(context)
            return scenario
