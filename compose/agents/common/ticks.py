"""Server-Sent Events that never end by themselves: what a client sees that stays connected all day.

The format is https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

import asyncio
from collections.abc import AsyncIterator
from itertools import count

from starlette.responses import StreamingResponse

HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def ticks(ending: asyncio.Event, pause_s: float = 1.0) -> StreamingResponse:
    """A `tick` event now and every ``pause_s`` seconds, with its number, until the client leaves or ``ending`` is set.

    A stream that ends with the service is complete: its client sees an end, not a broken connection.
    """
    return StreamingResponse(_events(ending, pause_s), headers=HEADERS, media_type="text/event-stream")


async def _events(ending: asyncio.Event, pause_s: float) -> AsyncIterator[str]:
    for number in count(1):
        if ending.is_set():
            return
        yield f'event: tick\nid: {number}\ndata: {{"tick": {number}}}\n\n'
        try:
            await asyncio.wait_for(ending.wait(), pause_s)
        except TimeoutError:
            continue
