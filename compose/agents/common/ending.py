"""The moment a service is told to end, for answers that would never end by themselves."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def told_by_signals(ending: asyncio.Event) -> Iterator[None]:
    """``ending`` is set as soon as a signal ends the server, before the server's own handler sees it.

    The server ends its lifespan only after the last request, so a stream that waited for that would be cut instead.
    Without a server that handles signals, or in another thread than the main one, nothing is changed.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    if threading.current_thread() is not threading.main_thread() or not all(map(callable, before.values())):
        yield
        return
    loop = asyncio.get_running_loop()

    def tell(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(ending.set)
        if callable(handler := before[signal.Signals(number)]):
            handler(number, frame)

    for number in SIGNALS:
        signal.signal(number, tell)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
