"""The decorators that declare a flow or a task: Prefect's own, and no error leaves one with a secret in it.

Every flow takes a destination beside its own parameters, and reads its settings as those of that destination.

Prefect puts an error's text into the state's message, which its database keeps, and pickles the error of every flow
that failed into a file of its result storage. Errors of ours are masked where they are told; this holds for those of
others, too, and for what an error carries beside its text.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import httpx
import prefect
from prefect import Flow, Task, runtime
from prefect.exceptions import MissingContextError
from prefect.logging import get_logger, get_run_logger
from prefect.states import Cancelled

from flows.core.errors import GaveWay
from flows.settings.choice import Choice, chosen, current_choice
from flows.settings.notices import telling_notices
from flows.tasks.runs.log_masking import Masked, mask
from flows.tasks.runs.measuring import measured_run, timed_step
from flows.tasks.runs.reports import tidied_reports
from flows.tasks.runs.tracing.recording import traced_run, traced_step

P = ParamSpec("P")
R = TypeVar("R")
# The name of the state of a run that gave way to a newer one; it is of the type Cancelled.
SUPERSEDED_NAME = "Superseded"
_outermost: ContextVar[str] = ContextVar("slipway_outermost_run", default="")


@dataclass(frozen=True)
class _Noted:
    """The stacks of which a run changed something, by whose settings, and what keeps their overviews."""

    keep: Callable[[str, bool], None]
    stacks: dict[str, Choice] = field(default_factory=dict)

    def end(self) -> None:
        for stack in self.stacks:
            self.write(stack)

    def write(self, stack: str, asking: bool = False) -> None:
        by = self.stacks[stack]
        try:
            with chosen(by.destination, by.stack, by.commit):
                self.keep(stack, asking)
        except Exception as error:  # a run is not worse for an overview
            _warn(f"the overview of {stack} was not written: {type(error).__name__}: {mask(str(error))}")


_noted: ContextVar[_Noted | None] = ContextVar("slipway_noted", default=None)


DESTINATION = inspect.Parameter("destination", inspect.Parameter.KEYWORD_ONLY, default="", annotation=str)
_DESCRIPTION = """destination: name of a destination of the settings files; default: the setting `destination`,
        or the only one there is."""


def flow(
    *, overview: Callable[[str, bool], None] | None = None, **options: Any
) -> Callable[[Callable[P, R]], Flow[P, R]]:
    """Prefect's `flow`, whose errors hold no secret, and which takes a destination.

    Args:
        overview: is given the name of each stack of which `note_change` told something, and whether this run is about
            to ask a person: when the outermost run that has one ends, whatever way but a cancel, and when it is told
            at once. What it raises is a warning in the log.
        options: Prefect's own.
    """

    def declare(function: Callable[P, R]) -> Flow[P, R]:
        clean, name = _with_clean_errors(function), _named(function, options)

        @wraps(function)
        def run(*args: P.args, **keywords: P.kwargs) -> R:
            with (
                _known_as_outermost(), tidied_reports(), traced_run(name, outermost_run()), measured_run(),
                _overview_kept(overview),
            ):  # fmt: skip
                try:
                    return clean(*args, **keywords)
                except GaveWay as way:
                    return cast(R, Cancelled(name=SUPERSEDED_NAME, message=str(way)))

        return prefect.flow(**options)(_with_destination(run))

    return declare


def task(**options: Any) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Prefect's `task`, whose errors hold no secret, and whose seconds are measured under its name."""

    def declare(function: Callable[P, R]) -> Task[P, R]:
        clean, name = _with_clean_errors(function), _named(function, options)

        @wraps(function)
        def run(*args: P.args, **keywords: P.kwargs) -> R:
            with timed_step(name), traced_step(name):
                return clean(*args, **keywords)

        return prefect.task(**options)(run)

    return declare


def _named(function: Callable[..., Any], options: Mapping[str, Any]) -> str:
    return str(options.get("name") or getattr(function, "__name__", ""))


def _with_destination(function: Callable[P, R]) -> Callable[P, R]:
    """The function with one parameter more, by which settings are read until it ends; flows inside it inherit it."""
    taken = inspect.signature(function, eval_str=True)

    @wraps(function)
    def run(*args: P.args, **keywords: P.kwargs) -> R:
        destination = str(keywords.pop(DESTINATION.name, "") or "")
        stack = taken.bind_partial(*args, **keywords).arguments.get("stack")
        with telling_notices(_warn), chosen(destination, stack if isinstance(stack, str) else ""):
            return function(*args, **keywords)

    run.__signature__ = taken.replace(parameters=[*taken.parameters.values(), DESTINATION])  # type: ignore[attr-defined]
    run.__doc__ = _described(inspect.getdoc(function) or "")
    return run


def _warn(notice: str) -> None:
    try:
        get_run_logger().warning("%s", notice)
    except MissingContextError:  # called as a plain function, because no server answers
        get_logger("slipway.hooks").warning("%s", notice)


def _described(doc: str) -> str:
    """A flow's description with the parameter that is added; Prefect shows it in the form."""
    if "\nArgs:\n" not in doc:
        return f"{doc}\n\nArgs:\n    {_DESCRIPTION}"
    head, _, rest = doc.partition("\nArgs:\n")
    own, gap, after = rest.partition("\n\n")
    return f"{head}\nArgs:\n{own}\n    {_DESCRIPTION}{gap}{after}"


def outermost_run() -> str:
    """Id of the flow run that started all others of this process; '' outside of one. No server is asked."""
    return _outermost.get() or str(runtime.flow_run.id or "")


@contextmanager
def _known_as_outermost() -> Iterator[None]:
    token = _outermost.set(outermost_run())
    try:
        yield
    finally:
        _outermost.reset(token)


def note_change(stack: str, *, now: bool = False, asking: bool = False) -> None:
    """Note that the overview of a stack says something else by now; outside of a run that keeps one this is nothing.

    Args:
        now: it is written at once, and again at the end.
        asking: this run is about to wait for a person.
    """
    if noted := _noted.get():
        noted.stacks[stack] = current_choice()
        if now:
            noted.write(stack, asking)


@contextmanager
def _overview_kept(keep: Callable[[str, bool], None] | None) -> Iterator[None]:
    """Keep the overview of what changes inside, unless a run around this one does."""
    if keep is None or _noted.get():
        yield
        return
    noted = _Noted(keep)
    token = _noted.set(noted)
    try:
        try:
            yield
        except Exception:
            noted.end()
            raise
        noted.end()
    finally:
        _noted.reset(token)


def _with_clean_errors(function: Callable[P, R]) -> Callable[P, R]:
    @wraps(function)
    def run(*args: P.args, **keywords: P.kwargs) -> R:
        try:
            return function(*args, **keywords)
        except Exception as error:
            if (clean := _cleaned(error)) is error:
                raise
            raise clean.with_traceback(error.__traceback__) from None

    return run


def _cleaned(error: Exception) -> Exception:
    """The error itself, rid of what is secret; where that cannot be taken out of it, one that tells the same."""
    error.args = tuple(mask(arg) if isinstance(arg, str) else arg for arg in error.args)
    carried = vars(error)
    carried.update({key: mask(value) for key, value in carried.items() if isinstance(value, str)})
    if isinstance(error, httpx.HTTPError):
        carried.update(dict.fromkeys(carried.keys() & {"_request"}))  # its headers hold the login
        if isinstance(answer := carried.get("response"), httpx.Response):  # which leads back to it
            carried["response"] = httpx.Response(answer.status_code)
    told = f"{error} {error!r} {carried}"
    return error if mask(told) == told else Masked(f"{type(error).__name__}: {mask(str(error))}")
