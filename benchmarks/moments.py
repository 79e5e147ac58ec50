"""When something happened in a flow that runs in this process, as its log says: no server has to be asked."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.command import BenchmarkFailed

_LOGGER = "prefect"


@dataclass(frozen=True)
class Moment:
    """One line of a run's log: when (Unix time), in which flow and task ('' outside one), and its words."""

    at: float
    flow: str
    task: str
    words: str

    @property
    def ends_well(self) -> bool:
        return self.words.startswith("Finished in state Completed")

    @property
    def ends_badly(self) -> bool:
        return self.words.startswith("Finished in state Failed")


class _Notes(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.moments: list[Moment] = []

    def emit(self, record: logging.LogRecord) -> None:
        flow, task = (str(getattr(record, name, "")) for name in ("flow_name", "task_name"))
        self.moments.append(Moment(record.created, flow, task, record.getMessage()))


@contextmanager
def noted() -> Iterator[list[Moment]]:
    """What the runs of this process say for as long as the context is open, in its order."""
    logger, notes = logging.getLogger(_LOGGER), _Notes()
    logger.addHandler(notes)
    try:
        yield notes.moments
    finally:
        logger.removeHandler(notes)


def first(moments: list[Moment], what: str, wanted: Callable[[Moment], bool]) -> Moment:
    """The first moment that is wanted.

    Raises:
        BenchmarkFailed: there is none; names `what` was looked for.
    """
    found = next(filter(wanted, moments), None)
    if found is None:
        last = moments[-1].words if moments else "nothing"
        raise BenchmarkFailed(f"the log of the run does not say when {what}; its last words: {last}")
    return found
