"""What has to be done even when the Prefect server went away in the middle of a run."""

from collections.abc import Callable
from typing import TypeVar

import httpx
from prefect.logging import get_logger

T = TypeVar("T")
_WORDS = ("Failed to reach API", "Can't connect to Server API", "Server disconnected")


def server_is_gone(error: Exception) -> bool:
    """Whether this is Prefect's way of saying that its server does not answer."""
    return isinstance(error, httpx.TransportError) or any(words in str(error) for words in _WORDS)


def offline_too(as_flow: Callable[[], T], as_plain: Callable[[], T]) -> T:
    """Do it as a flow run that can be seen; without a server, do it all the same. It may run twice."""
    try:
        return as_flow()
    except Exception as error:
        if not server_is_gone(error):
            raise
        get_logger("slipway.hooks").warning("the Prefect server does not answer: going on without it")
        return as_plain()
