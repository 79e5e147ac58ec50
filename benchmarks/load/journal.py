"""Where every request is written down as it ends, and where the clients learn that no more may be made."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TextIO

import httpx

from benchmarks.load.plan import Plan
from benchmarks.load.request import Kind, Outcome, Request

COLOUR = "X-Slipway-Colour"


@dataclass
class Journal:
    """The load's plan, what is left of it, and the file with one line a request."""

    plan: Plan
    file: TextIO
    stop: asyncio.Event
    made: int = 0

    def may(self) -> bool:
        """Whether one more request may be made; it counts as made."""
        if self.made >= self.plan.requests:
            self.stop.set()
        if self.stop.is_set():
            return False
        self.made += 1
        return True

    def note(self, request: Request) -> None:
        self.file.write(request.line())

    async def pause(self, seconds: float) -> None:
        """Wait, but not when the load is told to stop."""
        try:
            await asyncio.wait_for(self.stop.wait(), seconds)
        except TimeoutError:
            return


@dataclass
class Answer:
    """What a client makes of an answer: the request as it will be noted. It is complete when the context is left."""

    request: Request
    response: httpx.Response | None = None

    def note(self, response: httpx.Response, error: str = "", outcome: Outcome = Outcome.WELL) -> None:
        """Note who answered with what; an error makes it a failed request unless the outcome says more."""
        self.response = response
        self.says(
            status=response.status_code,
            colour=response.headers.get(COLOUR, ""),
            error=error,
            outcome=Outcome.FAILED if error and outcome is Outcome.WELL else outcome,
        )

    def says(self, **more: object) -> None:
        self.request = replace(self.request, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def answered(journal: Journal, kind: Kind, patience: float) -> AsyncIterator[Answer]:
    """Ask inside this context: it takes the time, has a limit, and notes also what went wrong."""
    answer = Answer(Request(kind, time.time(), 0.0, Outcome.FAILED, error="given up"))
    try:
        async with asyncio.timeout(patience):
            yield answer
    except (httpx.HTTPError, TimeoutError, OSError) as error:
        answer.says(outcome=Outcome.FAILED, error=words(error, patience))
    finally:
        answer.says(end=time.time())
        journal.note(answer.request)


def words(error: Exception, patience: float) -> str:
    """What happened to the connection, in words."""
    match error:
        case httpx.TimeoutException() | TimeoutError():
            return f"no answer within {patience:g} s"
        case httpx.ConnectError():
            return "no connection"
        case httpx.RemoteProtocolError():
            return "the connection was closed before the answer was whole"
        case httpx.ReadError() | httpx.WriteError() | ConnectionError():
            return "the connection was reset"
    return f"{type(error).__name__}: {error}"


async def paced(journal: Journal, rate: float, once: Callable[[], Coroutine[Any, Any, None]], crowd: int = 50) -> None:
    """Call `once` (a coroutine function) at this rate, whether or not answers keep up; at most a crowd in flight.

    A client that waits for each answer would ask less the worse things are, and so count too few failures.
    """
    clock, flying = asyncio.get_running_loop().time, set[asyncio.Task[None]]()
    due = clock()
    while not journal.stop.is_set():
        due = max(due + 1 / rate, clock() - 0.25)  # late by more than that is not made up for: no burst
        await asyncio.sleep(due - clock())
        if len(flying) < crowd and journal.may():
            task = asyncio.create_task(once())
            flying.add(task)
            task.add_done_callback(flying.discard)
    await asyncio.gather(*flying)
