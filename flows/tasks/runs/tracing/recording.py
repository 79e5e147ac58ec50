"""Records each outermost run as a trace: a span for each flow and each step in it, sent when the run ends.

A span has a name that stands in our code, times, and the kind of its error: no parameter, no text of an error. Nothing
is recorded, and nothing imported for it, unless the setting `traces_to` says where to. A run that is killed or
cancelled leaves no trace.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib import import_module
from secrets import token_hex
from typing import Literal

from prefect.logging import get_logger
from pydantic import ValidationError

from flows.settings import Settings
from flows.settings.choice import chosen
from flows.tasks.runs.log_masking import masked_line

RecordedKind = Literal["flow", "step"]
# A watch takes the same steps again and again; what comes after so many is counted.
MOST_SPANS = 2000
_LONGEST = 500


@dataclass(frozen=True)
class RecordedSpan:
    """One flow or step that ended: ids in hex, times in seconds since the epoch, and the kind of its error."""

    name: str
    kind: RecordedKind
    id: str
    parent: str
    started: float
    ended: float
    failed: str = ""


@dataclass
class RunTrace:
    """The trace of one run.

    Args:
        id: the run's own, so that one leads to the other.
        dropped: how many spans are not among them.
    """

    id: str
    name: str
    spans: list[RecordedSpan] = field(default_factory=list)
    dropped: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, span: RecordedSpan) -> None:
        """Add a span, the root in any case."""
        with self.lock:
            if len(self.spans) < MOST_SPANS or not span.parent:
                self.spans.append(span)
            else:
                self.dropped += 1


# None: no run has begun; then no step is recorded. `_OFF`: one has, and is not recorded.
_OFF = RunTrace("", "")
_current: ContextVar[RunTrace | None] = ContextVar("slipway_trace", default=None)
_parent: ContextVar[str] = ContextVar("slipway_span", default="")


@contextmanager
def traced_run(name: str, run: str) -> Iterator[None]:
    """Record what is inside: the outermost run as a trace that is sent at its end, one inside of it as a span.

    Args:
        run: id of the outermost flow run; '' outside of one.
    """
    if _current.get() is not None:
        with traced_step(name, "flow"):
            yield
        return
    settings = _wanted()
    trace = RunTrace(run.replace("-", "") or token_hex(16), name) if settings else _OFF
    token = _current.set(trace)
    try:
        with traced_step(name, "flow"):
            yield
    except Exception:
        _send(trace, settings)
        raise
    else:
        _send(trace, settings)
    finally:
        _current.reset(token)


@contextmanager
def traced_step(name: str, kind: RecordedKind = "step") -> Iterator[None]:
    """Record what is inside as a span of the trace that is open, if one is."""
    trace = _current.get()
    if trace is None or trace is _OFF:
        yield
        return
    mine, parent, failed = token_hex(8), _parent.get(), ""
    began, clock = time.time(), time.monotonic()
    token = _parent.set(mine)
    try:
        yield
    except BaseException as error:
        failed = type(error).__name__
        raise
    finally:
        _parent.reset(token)
        trace.add(RecordedSpan(name, kind, mine, parent, began, began + time.monotonic() - clock, failed))


def _wanted() -> Settings | None:
    """The settings, if they say where traces go; settings that cannot be read are the run's own to tell."""
    try:
        with chosen(anywhere=True):  # where to is the operator's to say, and of no commit
            settings = Settings()
    except (ValidationError, ValueError, OSError):
        return None
    except Exception as error:  # a settings file that is refused, by whatever name
        get_logger("slipway.traces").debug("no trace: %s", type(error).__name__)
        return None
    return settings if settings.traces_to else None


def _send(trace: RunTrace, settings: Settings | None) -> None:
    """Send it; whatever comes of that, the run is what it was."""
    if settings is None:
        return
    try:
        import_module("flows.tasks.runs.tracing.sending").send_trace(trace, settings)
    except Exception as error:
        words = masked_line(f"{type(error).__name__}: {error}", _LONGEST)
        get_logger("slipway.traces").warning("the trace of this run was not taken: %s", words)
