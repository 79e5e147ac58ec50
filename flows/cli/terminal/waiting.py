"""Waiting for a run's end: its states, its steps and its errors as lines of a CI job's log."""

import logging
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from uuid import UUID

from flows.api.client import PrefectApi
from flows.api.runs import (
    FinishedTask,
    LogPosition,
    PrefectRun,
    RunLogLine,
    cancel_run,
    find_run,
    finished_steps,
    next_lines,
    run_artifacts,
    run_link,
    runs_below,
)
from flows.core.control.ci.log import PlainLog
from flows.core.control.ci.summary import run_summary
from flows.core.control.ci.trigger import Ending, ending_of
from flows.core.errors import BadSettings

_POLL_S = 2.0
INTERRUPTED_CODE = 130
_OVER = (Ending.COMPLETED, Ending.FAILED, Ending.CANCELLED, Ending.SUPERSEDED)


@dataclass(frozen=True)
class WaitOptions:
    """How to wait."""

    wait: bool = True
    timeout: float = 3600.0
    neutral: bool = False
    verbose: bool = False
    cancel: bool = False
    summary: Path | None = None


class RunWatch:
    """A run that was started, and what was printed of it.

    Args:
        pause: waits so many seconds; tests give another.
        clock: seconds; tests give another.
    """

    def __init__(
        self,
        api: PrefectApi,
        run: PrefectRun,
        log: PlainLog,
        options: WaitOptions,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api, self._run, self._log, self._options = api, run, log, options
        self._pause, self._clock = pause, clock
        self._link = run_link(api, run.id)
        self._position, self._steps = LogPosition(), dict[UUID, FinishedTask]()
        self._state = ""

    def end(self) -> int:
        """Wait for its end as asked; the exit code."""
        self._begin()
        if not self._options.wait:
            self._summarise(None)
            return 0
        signal.signal(signal.SIGTERM, _interrupt)
        self._raw(self._log.begin(f"Run {self._run.name}", int(time.time())))
        try:
            ending = self._watch()
        except KeyboardInterrupt as interrupt:
            self._raw(self._log.end(int(time.time())))
            return self._interrupted(asked_to_end=bool(interrupt.args))
        below = runs_below(self._api, self._run.id) if ending in _OVER else []
        if ending is not Ending.COMPLETED:
            self._show_lines([one for one in below if one not in self._shown_runs()], logging.ERROR, LogPosition())
        self._raw(self._log.end(int(time.time())))
        code = self._conclude(ending)
        self._summarise(ending, below)
        return code

    def _watch(self) -> Ending:
        deadline = self._clock() + self._options.timeout
        while True:
            self._run = run = find_run(self._api, self._run.id)
            self._show_news()
            kind, name = (run.state.type, run.state.name) if run.state else ("PENDING", "Pending")
            if f"{kind} {name}" != self._state:
                self._state = f"{kind} {name}"
                self._show_state(kind, name)
            if ending := ending_of(kind, name):
                self._show_news()  # the last lines come after the state
                return ending
            if kind == "PAUSED" and self._options.neutral:
                return Ending.PAUSED
            left = deadline - self._clock()
            if left <= 0:
                return Ending.TIMED_OUT
            self._pause(min(_POLL_S, left))

    def _show_news(self) -> None:
        runs = self._shown_runs()
        self._show_lines(runs, logging.DEBUG if self._options.verbose else self.level, self._position)
        for step in finished_steps(self._api, *runs):
            if step.id not in self._steps:
                self._show_step(step)
            self._steps[step.id] = step

    def _show_lines(self, runs: Sequence[UUID], level: int, position: LogPosition) -> None:
        while runs and (lines := next_lines(self._api, runs, level, position)):
            for line in lines:
                self._show_line(line)

    # What is shown of it, and how: a terminal shows it otherwise than a CI job's log.

    level = logging.ERROR

    def _begin(self) -> None:
        self._say(f"{self._run.name}: {self._link}")

    def _shown_runs(self) -> Sequence[UUID]:
        """The runs whose steps and logs are shown."""
        return (self._run.id,)

    def _show_state(self, kind: str, name: str) -> None:
        self._say(f"{time.strftime('%H:%M:%S', time.gmtime())} {name}")
        if kind == "PAUSED":
            self._say(f"A person is asked: {self._link} (or: slipway approve {self._run.id})")

    def _show_line(self, line: RunLogLine) -> None:
        said = f"{line.timestamp[11:19]} {logging.getLevelName(line.level)} {line.message}"
        self._raw(self._log.error(said) if line.level >= logging.ERROR else self._log.line(said))

    def _show_step(self, step: FinishedTask) -> None:
        self._say(f"  {step.name}: {step.state_name} after {step.total_run_time:.1f} s")

    def _conclude(self, ending: Ending) -> int:
        """Say how it ended; the exit code."""
        state = self._run.state
        over = state and ending_of(state.type, state.name)
        if ending is Ending.TIMED_OUT and not over:
            self._raw(self._log.error(
                f"{self._run.name} did not end within {self._options.timeout:g} s, and goes on: {self._link}"
            ))  # fmt: skip
            return int(ending.value)
        words = f"{self._run.name}: {state.name if state else ''}. {self._message()}".rstrip(". ")
        if ending in (Ending.COMPLETED, Ending.PAUSED):
            self._say(words)
        else:
            self._raw(self._log.error(f"{words} · {self._link}"))
        return int(ending.value)

    def _interrupted(self, *, asked_to_end: bool) -> int:
        """Say what becomes of the run; the exit code.

        Args:
            asked_to_end: by SIGTERM: nobody is at the keyboard.
        """
        if self._options.cancel:
            cancel_run(self._api, self._run.id)
            self._say(f"Interrupted. {self._run.name} is being cancelled: {self._link}")
        else:
            self._say(f"Interrupted. {self._run.name} goes on: {self._link}. The same command waits for it again.")
        return INTERRUPTED_CODE

    def _summarise(self, ending: Ending | None, below: Sequence[UUID] = ()) -> None:
        path = self._options.summary
        if path is None:
            return
        runs = [self._run.id, *below]
        steps = [(one.name, one.state_name or "", one.total_run_time) for one in finished_steps(self._api, *runs)]
        text = run_summary(self._run.name, self._link, ending, self._message(), steps, run_artifacts(self._api, runs))
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise BadSettings(f"the summary cannot be written to {path}: {error}. The run: {self._link}") from None

    def _message(self) -> str:
        return (self._run.state.message or "") if self._run.state else ""

    def _say(self, text: str) -> None:
        self._raw(self._log.line(text))

    @staticmethod
    def _raw(line: str) -> None:
        if line:
            print(line, flush=True)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(number)
