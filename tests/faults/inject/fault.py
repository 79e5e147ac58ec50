"""The faulty side: puts one fault into a process that runs a flow, from outside, so that no flow knows of tests.

Steps are tasks, known by their names. Whatever the fault, each step that begins is written down in the file `steps`.
"""

import importlib
import json
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

VARIABLE = "SLIPWAY_TEST_FAULT"
HOLD = "hold"
PATIENCE = 120.0
_FORGOTTEN = 97


@dataclass(frozen=True)
class Fault:
    """What is to happen where.

    Args:
        directory: where this process and the test leave files for each other: `run`, `steps`, `held`, `go`.
        when: `before` or `after` a step, or `during` one; '' for never.
        step: name of the task.
        flow: name of the flow that the step belongs to; '' for any.
        nth: at which time of reaching that point.
        act: SIGKILL, SIGTERM or any other signal to itself; `hold` says so and waits for the test.
        command: during a step: a part of the remote command that must have been begun.
        delay: during a step: seconds after that command began.
        broken: a function that raises instead, as `module:name`.
        clock: seconds that this process is ahead of everybody else.
    """

    directory: str
    when: str = ""
    step: str = ""
    flow: str = ""
    nth: int = 1
    act: str = HOLD
    command: str = ""
    delay: float = 0.0
    broken: str = ""
    clock: float = 0.0

    def text(self) -> str:
        """As it travels in an environment variable."""
        return json.dumps(asdict(self))


def install(fault: Fault) -> None:
    """Wrap Prefect's task call, and the session's `run`, in this process."""
    from prefect import Task  # noqa: PLC0415

    from blocks.ssh.session import Session  # noqa: PLC0415 — not before the process wants them itself

    scene = _Scene(fault)
    if fault.broken:
        module, _, name = fault.broken.partition(":")
        getattr(importlib.import_module(module), name)  # what is not there cannot break
        setattr(importlib.import_module(module), name, _broken)
    if fault.clock:
        _shift(timedelta(seconds=fault.clock))
    Task.__call__ = scene.around_task(Task.__call__)  # type: ignore[method-assign]
    Session.run = scene.around_command(Session.run)  # type: ignore[method-assign]


class _Scene:
    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._place = Path(fault.directory)
        self._reached = 0
        self._step = ""

    def around_task(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def with_fault(task: Any, *args: Any, **kwargs: Any) -> Any:
            self._step = task.name
            self._sign()
            with (self._place / "steps").open("a") as steps:
                steps.write(f"{_flow()}\t{task.name}\n")
            self._arrive("before", task.name)
            result = call(task, *args, **kwargs)
            self._arrive("after", task.name)
            return result

        return with_fault

    def _sign(self) -> None:
        """Leave the id of the run that a person would look at."""
        from prefect import runtime  # noqa: PLC0415

        file = self._place / "run"
        if not file.exists():
            file.write_text(str(runtime.flow_run.root_flow_run_id or ""))

    def around_command(self, run: Callable[..., Any]) -> Callable[..., Any]:
        def with_fault(session: Any, command: Any, **options: Any) -> Any:
            text = command if isinstance(command, str) else shlex.join(command)
            if self._fault.when == "during" and self._fault.command in text:
                self._arrive("during", self._step)
            return run(session, command, **options)

        return with_fault

    def _arrive(self, when: str, step: str) -> None:
        fault = self._fault
        if (when, step) != (fault.when, fault.step) or fault.flow not in ("", _flow()):
            return
        self._reached += 1
        if self._reached != fault.nth:
            return
        if when == "during":
            threading.Timer(fault.delay, self._act).start()
        else:
            self._act()

    def _act(self) -> None:
        if (self._place / "held").exists():
            return  # once is enough: the process of a hook carries the same fault
        (self._place / "held").touch()
        if self._fault.act != HOLD:
            os.kill(os.getpid(), signal.Signals[self._fault.act])
            return
        if self._fault.when == "during":
            return  # the command goes on, and the test does what it wants to do
        deadline = time.monotonic() + PATIENCE
        while not (self._place / "go").exists():
            if time.monotonic() > deadline:  # the test is gone
                os._exit(_FORGOTTEN)
            time.sleep(0.02)


def _broken(*_args: Any, **_kwargs: Any) -> Any:
    raise RuntimeError("broken on purpose")


def _shift(by: timedelta) -> None:
    """Let the flows, and nobody else in this process, see another time."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + by

    for name, module in list(sys.modules.items()):
        if name.startswith(("flows.", "blocks.")) and getattr(module, "datetime", None) is datetime:
            module.datetime = Shifted  # type: ignore[attr-defined]


def _flow() -> str:
    from prefect.context import FlowRunContext  # noqa: PLC0415

    context = FlowRunContext.get()
    return context.flow.name if context and context.flow else ""
