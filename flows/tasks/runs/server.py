"""What has to be done even when the Prefect server went away in the middle of a run."""

from collections.abc import Callable
from typing import TypeVar

import httpx
from prefect.logging import get_logger
from prefect.settings import get_current_settings

from blocks.http.tls import context

T = TypeVar("T")
_QUICK = 3.0


def server_answers() -> bool:
    """Whether the Prefect server can be reached now. Prefect itself would try for a minute before it says no."""
    url = get_current_settings().api.url
    if not url:
        return True  # a server inside this process
    try:
        answer = httpx.get(f"{url}/health", timeout=_QUICK, verify=context())
        return answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR
    except httpx.TransportError:
        return False


def run_as_flow_or_plain(as_flow: Callable[[], T], as_plain: Callable[[], T]) -> T:
    """Do it as a flow run that can be seen; without a server, do it all the same. It may be done twice."""
    log = get_logger("slipway.hooks")
    if server_answers():
        try:
            return as_flow()
        except httpx.HTTPError as error:  # it went away, or refuses our login by now
            log.warning("the Prefect server takes no run: %s", error)
    log.warning("going on without the Prefect server")
    return as_plain()
