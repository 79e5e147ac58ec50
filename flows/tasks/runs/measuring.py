"""Measures a run: what its steps take and find on each droplet, for the release record."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flows.core.records.measurements import BuildTimes, Measurements
from flows.core.records.record import Record

_MILLI = 3
# What is measured before there is a droplet.
BUILD = ""


class Measuring:
    """What one run has measured so far: on one droplet, or of the build.

    Args:
        number: of the record it belongs to; None until it is opened.
        began: step → when it began last, by the monotonic clock.
        ahead, pulled: reference by digest → seconds, of images that were pulled ahead, and of the others.
        build: what the build took that this run began with.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.began: dict[str, float] = {}
        self.ahead: dict[str, float | None] = {}
        self.pulled: dict[str, float | None] = {}
        self.build: BuildTimes | None = None
        self._steps: dict[str, float] = {}
        self._said: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def steps(self) -> Mapping[str, float]:
        """Name of a step → seconds so far."""
        with self._lock:
            return dict(self._steps)

    def begin(self, step: str) -> None:
        """Note that a step begins."""
        self.began[step] = time.monotonic()

    def end(self, step: str) -> None:
        """Add the seconds of a step that has ended, however it ended."""
        took = time.monotonic() - self.began[step]
        with self._lock:
            self._steps[step] = round(self._steps.get(step, 0.0) + took, _MILLI)

    def note(self, **said: Any) -> None:
        """Note fields of `Measurements`."""
        with self._lock:
            self._said |= said

    def so_far(self) -> Measurements:
        """What was measured until now."""
        with self._lock:
            return Measurements(**self._said, steps=dict(self._steps))

    def kept_in(self, record: Record) -> Record:
        """The record with what was measured: in place of what this run wrote there before, beside what others did."""
        mine = self.so_far()
        if record.measured and record.number != self.number:
            mine = record.measured.merged(mine)
        return record.model_copy(update={"measured": mine})


_of_run: ContextVar[dict[str, Measuring] | None] = ContextVar("slipway_measured", default=None)
_current: ContextVar[Measuring | None] = ContextVar("slipway_measuring", default=None)


def now_measured() -> Measuring | None:
    """What the steps at work add to; None where nothing is measured."""
    return _current.get()


@contextmanager
def measured_run() -> Iterator[None]:
    """One run, from its outermost flow on: what is measured of a droplet belongs together."""
    if _of_run.get() is not None:
        yield
        return
    token = _of_run.set({})
    try:
        yield
    finally:
        _of_run.reset(token)


@contextmanager
def measuring(droplet: str = BUILD) -> Iterator[Measuring]:
    """Measure what the steps inside take on this droplet: one measuring a droplet for a run, from its first step on."""
    known = _of_run.get()
    mine = Measuring() if known is None else known.setdefault(droplet, Measuring())
    token = _current.set(mine)
    try:
        yield mine
    finally:
        _current.reset(token)


@contextmanager
def measuring_anew(droplet: str) -> Iterator[tuple[Measuring, Measuring | None]]:
    """Measure anew, for a rollback: yields what is measured from here on, and what was of the release that failed."""
    known = _of_run.get()
    failed = known.pop(droplet, None) if known is not None else None
    with measuring(droplet) as mine:
        yield mine, failed


@contextmanager
def timed_step(step: str) -> Iterator[None]:
    """Add what is inside to the seconds of this step, where something is measured."""
    if (mine := _current.get()) is None:
        yield
        return
    mine.begin(step)
    try:
        yield
    finally:
        mine.end(step)


def with_measured(record: Record) -> Record:
    """The record, with what the steps at work have measured where it is about them."""
    mine = _current.get()
    return mine.kept_in(record) if mine and mine.number == record.number else record


def measured_build() -> BuildTimes | None:
    """What the build took that this run began with; None where it built nothing."""
    built = (_of_run.get() or {}).get(BUILD)
    return built.build if built else None
