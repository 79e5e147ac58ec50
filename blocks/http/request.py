"""HTTP requests with a deadline for the whole answer: httpx's own timeout begins anew with every byte."""

import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from typing import Any

import httpx

from blocks.http import tls


def request_within(method: str, url: str, within: float, **options: Any) -> httpx.Response:
    """Send a request and return the whole answer, within a number of seconds.

    Args:
        within: seconds, however slowly the answer comes.
        options: what `httpx.Client.request` takes besides, and `trust_env`.

    Raises:
        httpx.HTTPError, httpx.InvalidURL
    """
    answer: Future[httpx.Response] = Future()
    trust_env = options.pop("trust_env", True)

    def work() -> None:
        try:
            with httpx.Client(timeout=within, verify=tls.context(), trust_env=trust_env) as client:
                answer.set_result(client.request(method, url, **options))
        except BaseException as error:
            answer.set_exception(error)

    # A daemon: one that is given up on must not keep the process from its end.
    threading.Thread(target=work, name=f"{method} {url}", daemon=True).start()
    try:
        return answer.result(within + 1.0)  # httpx's own error comes first, and says more
    except TookTooLong:
        raise httpx.ReadTimeout(f"the answer did not end within {within:g} s") from None
