"""Emits events to Prefect's event bus; whatever comes of that, the run goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from prefect import runtime
from prefect.events import emit_event
from prefect.logging import get_logger
from prefect.settings import get_current_settings

from flows.core.control.events import (
    APPROVAL_ANSWERED,
    APPROVAL_WAITING,
    LONGEST,
    EventKind,
    EventPayload,
    event_resource,
    related_resources,
)
from flows.settings import Settings
from flows.settings.choice import current_choice
from flows.tasks.runs.declaration import note_change, outermost_run
from flows.tasks.runs.log_masking import masked_line
from flows.tasks.runs.run_info import whoami


def current_destination() -> str:
    """The destination that this run goes to; '' where none is set."""
    return current_choice().destination or Settings().destination


def emit(kind: EventKind, *, stack: str, run: str = "", by: str = "", **said: str) -> None:
    """Tell the event bus that something happened. It returns at once, and never fails: Prefect sends in the background.

    Without the address of a server nothing is emitted: Prefect would start one for it. What is told changes the
    overview of the stack, too: that of a question, and of its answer, at once.

    Args:
        stack: the whole stack's name.
        run: id of the run it is about; default: the outermost one of this process.
        by: who; default: this process.
        said: further fields of `EventPayload`.
    """
    try:
        if not get_current_settings().api.url:
            return
        run, here = run or outermost_run(), str(runtime.flow_run.id or "")
        url = str(runtime.flow_run.ui_url or "")
        known = {
            "stack": stack, "destination": current_destination(), "by": by or whoami(), "run": run,
            "run_url": url.replace(here, run) if run and here else "", **said,
        }  # fmt: skip
        payload = EventPayload(**{name: masked_line(value, LONGEST) for name, value in known.items()})
        emit_event(kind.name, event_resource(payload), related=related_resources(payload), payload=payload.model_dump())
    except Exception as error:
        _tell_once(type(error).__name__)
    else:
        asking = kind is APPROVAL_WAITING
        note_change(stack, now=asking or kind is APPROVAL_ANSWERED, asking=asking)


@contextmanager
def failure_emitted(kind: EventKind, *, stack: str, **said: str) -> Iterator[None]:
    """Emit this where what is inside fails; a cancel and a crash are told by the hooks."""
    try:
        yield
    except Exception as error:
        emit(kind, stack=stack, reason=f"{type(error).__name__}: {error}", **said)
        raise


@cache
def _tell_once(kind: str) -> None:
    get_logger("slipway.events").debug("events are not emitted: %s", kind)
