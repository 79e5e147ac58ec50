"""The client that holds one event stream open: `GET /api/events`, an event `tick` a second."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx

from benchmarks.load.http_clients import connect, fault
from benchmarks.load.journal import COLOUR, Journal, words
from benchmarks.load.request import Kind, Outcome, Request


async def stream(journal: Journal) -> None:
    """Hold a stream open until told to stop. One that ends before that is a cut, and another is opened."""
    async with connect(journal.plan) as http:
        while journal.may():
            reading = asyncio.create_task(_Reader(journal, http).read())
            told = asyncio.create_task(journal.stop.wait())
            await asyncio.wait({reading, told}, return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
            reading.cancel()
            await asyncio.wait({reading})
            await journal.pause(journal.plan.pace)


class _Reader:
    """One stream. It is noted once, when it has ended."""

    def __init__(self, journal: Journal, http: httpx.AsyncClient) -> None:
        self.journal, self.http = journal, http
        self.patience = journal.plan.patience
        self.start, self.status, self.colour, self.ticks = time.time(), 0, "", 0

    async def read(self) -> None:
        outcome, error = Outcome.FAILED, ""
        try:
            async with asyncio.timeout(self.patience) as limit, self.http.stream("GET", "/api/events") as response:
                self.status, self.colour = response.status_code, response.headers.get(COLOUR, "")
                kind = response.headers.get("content-type", "")
                error = fault(response, 200, True) or ("" if "text/event-stream" in kind else f"no events, but {kind}")
                if not error:
                    outcome, error = Outcome.CUT, "the stream was ended"
                    await self._count(response.aiter_lines(), limit)
                    if self.journal.plan.streams_end:
                        outcome, error = Outcome.ENDED, ""
        except asyncio.CancelledError:  # told to stop: what was open till then was held as it should be
            outcome, error = (Outcome.WELL, "") if outcome is Outcome.CUT else (outcome, error)
            if self.status:
                self._note(outcome, error)
            return
        except (httpx.HTTPError, TimeoutError, OSError) as problem:
            error = words(problem, self.patience)
        self._note(outcome, error)

    async def _count(self, lines: AsyncIterator[str], limit: asyncio.Timeout) -> None:
        """Count ticks; each may take as long as an answer may."""
        clock = asyncio.get_running_loop().time
        event = ""
        async for line in lines:
            if line.startswith("event:"):
                event = line.removeprefix("event:").strip()
            elif line.startswith("data:") and event == "tick":
                self.ticks += 1
                limit.reschedule(clock() + self.patience)
            elif not line:
                event = ""

    def _note(self, outcome: Outcome, error: str) -> None:
        self.journal.note(
            Request(Kind.STREAM, self.start, time.time(), outcome, self.status, error, self.colour, ticks=self.ticks)
        )
