"""HTTP requests with a deadline for the whole answer: httpx's own timeout begins anew with every byte."""

import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from typing import Any

import httpx

from blocks.http.bounded import bounded_client


def request_within(method: str, url: str, within: float, **options: Any) -> httpx.Response:
    """Send a request and return the whole answer, within a number of seconds.

    Args:
        within: seconds, however slowly the answer comes.
        options: what `httpx.Client.request` takes besides, and `trust_env`.

    Raises:
        httpx.HTTPError, httpx.InvalidURL
    """
    answer: Future[httpx.Response] = Future()
    client = bounded_client(url, timeout=within, trust_env=options.pop("trust_env", True))

    def work() -> None:
        try:
            with client:
                answer.set_result(client.request(method, url, **options))
        except BaseException as error:
            answer.set_exception(error)

    # A daemon: one that is given up on must not keep the process from its end.
    threading.Thread(target=work, name=f"{method} {url}", daemon=True).start()
    try:
        return answer.result(within + 1.0)  # httpx's own error comes first, and says more
    except TookTooLong:
        client.close()  # and with it the connection: the thread must not go on reading
        raise httpx.ReadTimeout(f"the answer did not end within {within:g} s") from None
