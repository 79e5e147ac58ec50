"""A run that a worker does, shown as if it were done in this terminal."""

import logging
import sys
from collections.abc import Sequence
from uuid import UUID

from rich.markup import escape

from flows.api.runs import FinishedTask, PrefectRun, RunLogLine, called_runs, cancel_run, run_artifacts
from flows.cli.runs.waiting import INTERRUPTED_CODE, RunWatch
from flows.cli.terminal.console import CleanConsole, SummaryConsole
from flows.cli.terminal.tables import SummaryTable
from flows.core.control.ci.summary import artifact_rows, plain_cell
from flows.core.control.ci.trigger import Ending
from flows.core.control.handover import named_failure

# What Prefect writes of an error, which is shown at the end, and of states, which are shown as they come.
_NOISE = ("Encountered exception", "Task run failed", "Finished in state", "Crash detected", "Engine execution")
_QUEUED = {
    "Late": "No worker has taken it yet. Whether there is one: slipway doctor",
    "AwaitingConcurrencySlot": "It waits for another run of this deployment.",
    "Paused": "A person is asked",
}
_DEEPEST = 4


class WorkerRun(RunWatch):
    """A run that was handed to a worker, and what was shown of it: its steps and those of the flows that it called."""

    level = logging.WARNING

    def _begin(self) -> None:
        self._console, self._errors = SummaryConsole(), CleanConsole(stderr=True, highlight=False, soft_wrap=True)
        self._family: dict[UUID, str] = {}
        self._console.say(f"  Handed to a worker: {self._link}")

    def _shown_runs(self) -> Sequence[UUID]:
        """This run and those of the flows that it called, as far as they began; it has its name from then on."""
        if self._run.state is None or self._run.state.type in ("SCHEDULED", "PENDING"):
            return (self._run.id,)
        self._meet(self._run)
        asked = [self._run.id]
        for _ in range(_DEEPEST):
            called = called_runs(self._api, asked)
            for run in called:
                self._meet(run)
            if not (asked := [run.id for run in called]):
                break
        return list(self._family)

    def _meet(self, run: PrefectRun) -> None:
        if run.id not in self._family:
            self._family[run.id] = run.name
            self._console.say(f"[bold]▶ {escape(run.name)}[/bold]")

    def _show_state(self, kind: str, name: str) -> None:
        words = _QUEUED.get(name) or _QUEUED.get("Paused" if kind == "PAUSED" else "")
        if kind == "PAUSED":
            words = f"{words}: slipway approve {self._run.id}, or {self._link}"
        if words:
            self._console.say(f"  [yellow]{escape(words)}[/yellow]")

    def _show_line(self, line: RunLogLine) -> None:
        if line.message.startswith(_NOISE) and not self._options.verbose:
            return
        loud = line.level >= logging.WARNING
        text = escape(line.message.strip())
        self._console.say(f"  [yellow]{text}[/yellow]" if loud else f"    [dim]{text}[/dim]")

    def _show_step(self, step: FinishedTask) -> None:
        if step.called:
            return
        mark = "[green]✓[/green]" if step.state_type == "COMPLETED" else "[red]✗[/red]"
        self._console.say(f"  {mark} {escape(step.name):<58} [dim]{step.total_run_time:6.1f} s[/dim]")

    def _conclude(self, ending: Ending) -> int:
        """The tables that the run itself left; or the error that it ended in, with the exit code that has here."""
        if ending is Ending.COMPLETED:
            self._show_tables()
            self._console.say(f"{escape(self._run.name)}: done. The run in the Prefect UI: {self._link}")
            return int(ending.value)
        if ending is Ending.FAILED:
            return self._show_failure()
        state = self._run.state.name if self._run.state else ending.name
        self._errors.print(f"[yellow]{escape(f'{state}: {self._message()}')}[/yellow] {self._link}")
        return int(ending.value)

    def _show_failure(self) -> int:
        name, words = named_failure(self._message())
        shown = f"[bold red]✗ {name or 'The run failed'}:[/bold red] {escape(words)}"
        self._errors.print(shown)
        self._errors.print(f"The run in the Prefect UI: {self._link}")
        return exit_code_of(name)

    def _show_tables(self) -> None:
        for artifact in run_artifacts(self._api, [self._run.id]):
            rows = artifact_rows(artifact)
            if artifact.get("flow_run_id") != str(self._run.id) or not rows:
                continue
            names = list(dict.fromkeys(name for row in rows for name in row))
            table = SummaryTable(*names)
            for row in rows:
                table.add_row(*(plain_cell(row.get(name)) for name in names))
            self._console.say(f"[bold]{escape(plain_cell(artifact.get('description')))}[/bold]")
            self._console.print(table)

    def _interrupted(self, *, asked_to_end: bool) -> int:
        """Ask whoever is there whether to cancel it; else it goes on."""
        if not asked_to_end and somebody_is_there() and self._cancel_wanted():
            cancel_run(self._api, self._run.id)
            self._console.say(f"{escape(self._run.name)} is being cancelled: {self._link}")
        else:
            watch = f"prefect flow-run watch {self._run.id}"
            self._console.say(f"{escape(self._run.name)} goes on: {self._link}. To watch it: {watch}")
        return INTERRUPTED_CODE

    def _cancel_wanted(self) -> bool:
        try:
            said = self._console.input("\nCancel the run on the worker? Else it goes on. [y/N] ", markup=False)
        except (KeyboardInterrupt, EOFError):
            return False
        return said.strip().lower() in ("y", "yes")


def somebody_is_there() -> bool:
    """Whether a question on this terminal has somebody to answer it."""
    return sys.stdin.isatty()


def exit_code_of(name: str) -> int:
    """The exit code that an error of this name has in a terminal; 1 for one that is none of ours."""
    from blocks import errors as outside
    from flows.core import errors as inside

    found = getattr(inside, name, None) or getattr(outside, name, None) if name else None
    code = getattr(found, "exit_code", 1)
    return code if isinstance(code, int) else 1
