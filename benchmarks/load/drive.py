"""All clients at once, in a process of their own: `python -m benchmarks.load.drive PLAN FILE`.

What runs beside them does not disturb their clock. The load ends when standard input is closed, so it never outlives
the process that started it; and by itself, when its plan says so.
"""

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import TextIO

from benchmarks.load import http_clients, mcp, stream
from benchmarks.load.journal import Journal
from benchmarks.load.plan import Plan
from benchmarks.load.request import Kind

BEGUN = "begun"


async def drive(plan: Plan, file: TextIO, stop: asyncio.Event) -> None:
    """Put the edge under load until told to stop; what is in flight then is waited for."""
    journal = Journal(plan, file, stop)
    clients = [
        http_clients.short(journal, Kind.KEPT),
        http_clients.short(journal, Kind.FRESH),
        http_clients.writes(journal),
        *(http_clients.long(journal) for _ in range(plan.long)),
        stream.stream(journal),
        mcp.session(journal),
        mcp.stateless(journal),
    ]
    asyncio.get_running_loop().call_later(plan.seconds, stop.set)
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client)


def argv(plan: Plan, file: str) -> list[str]:
    """The command of that process."""
    return [sys.executable, "-m", "benchmarks.load.drive", json.dumps(asdict(plan)), file]


async def _main(plan: Plan, path: str) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    threading.Thread(target=_until_closed, args=[lambda: loop.call_soon_threadsafe(stop.set)], daemon=True).start()
    with open(path, "w", buffering=1) as file:
        print(BEGUN, flush=True)
        await drive(plan, file, stop)


def _until_closed(told: Callable[[], object]) -> None:
    while os.read(sys.stdin.fileno(), 1):  # not sys.stdin.read(): its lock would be held when the interpreter ends
        pass
    told()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the process that started it, which then tells
    asyncio.run(_main(Plan(**json.loads(sys.argv[1])), sys.argv[2]))
