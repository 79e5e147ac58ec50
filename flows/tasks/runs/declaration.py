"""The decorators that declare a flow or a task: Prefect's own, and no error leaves one with a secret in it.

Prefect puts an error's text into the state's message, which its database keeps, and pickles the error of every flow
that failed into a file of its result storage. Errors of ours are masked where they are told; this holds for those of
others, too, and for what an error carries beside its text.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import httpx
import prefect
from prefect import Flow, Task, runtime
from prefect.states import Cancelled

from flows.core.errors import GaveWay
from flows.tasks.runs.log_masking import Masked, mask

P = ParamSpec("P")
R = TypeVar("R")
# The name of the state of a run that gave way to a newer one; it is of the type Cancelled.
SUPERSEDED_NAME = "Superseded"
_outermost: ContextVar[str] = ContextVar("slipway_outermost_run", default="")


def flow(**options: Any) -> Callable[[Callable[P, R]], Flow[P, R]]:
    """Prefect's `flow`, whose errors hold no secret."""

    def declare(function: Callable[P, R]) -> Flow[P, R]:
        clean = _with_clean_errors(function)

        @wraps(function)
        def run(*args: P.args, **keywords: P.kwargs) -> R:
            with _known_as_outermost():
                try:
                    return clean(*args, **keywords)
                except GaveWay as way:
                    return cast(R, Cancelled(name=SUPERSEDED_NAME, message=str(way)))

        return prefect.flow(**options)(run)

    return declare


def task(**options: Any) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Prefect's `task`, whose errors hold no secret."""

    def declare(function: Callable[P, R]) -> Task[P, R]:
        return prefect.task(**options)(_with_clean_errors(function))

    return declare


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
