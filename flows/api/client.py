"""The client of Prefect's API: one connection, answers with a limit, and patience with a server that is busy.

Source: https://docs.prefect.io/v3/api-ref/rest-api
"""

import json
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import httpx

from blocks.errors import LoginRefused, PrefectFailed, Unreachable
from blocks.http.bounded import bounded_client
from blocks.http.clear_text import is_loopback, refuse_clear_text
from blocks.http.excerpt import excerpt
from flows.api.connection import ApiConnection, find_connection

TIMEOUT_S = 15.0
# SQLite under load answers 503; what was sent then was not done. 429 says itself how long to wait.
_BUSY = (429, 500, 502, 503, 504)
_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0)
_LONGEST_PAUSE_S = 30.0


class PrefectApi:
    """Prefect's API, to be used as a context manager.

    Args:
        connection: default: the one that `prefect` uses here.
        pause: waits so many seconds; tests give another.

    Raises:
        NotEncrypted: the login would go by http to another machine.
    """

    def __init__(self, connection: ApiConnection | None = None, pause: Callable[[float], None] = time.sleep) -> None:
        self.connection = connection or find_connection()
        self._pause = pause
        url, headers, auth = self.connection.url, {}, None
        if self.connection.key:
            headers["Authorization"] = f"Bearer {self.connection.key}"
        elif self.connection.auth_string:
            name, _, password = self.connection.auth_string.partition(":")
            auth = httpx.BasicAuth(name, password)
        if headers or auth:
            refuse_clear_text(url, "Prefect's API")
        local = is_loopback(httpx.URL(url).netloc.decode())
        self._client = bounded_client(
            url,
            timeout=TIMEOUT_S,
            trust_env=not local,
            headers=headers,
            auth=auth,
            base_url=url,
            encrypted=not (local and url.startswith("http:")),
        )

    def __enter__(self) -> "PrefectApi":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    @property
    def ui(self) -> str:
        """The address of the UI that belongs to it."""
        return self.connection.url.removesuffix("/api")

    def get(self, path: str, **params: Any) -> Any:
        """The answer to a GET; None where there is no such thing (404). Raises what `request` does."""
        return self.request("GET", path, params=params)

    def post(self, path: str, body: Any = None) -> Any:
        """The answer to a POST; None where there is no such thing (404). Raises what `request` does."""
        return self.request("POST", path, json=body if body is not None else {})

    def request(self, method: str, path: str, **options: Any) -> Any:
        """Ask, and ask again where the server was busy or the connection broke: what is sent may arrive twice.

        Raises:
            Unreachable: nobody answers. LoginRefused: the login is none there.
            PrefectFailed: it refuses the question, or goes on being busy, or is no such API.
        """
        for pause in (*_PAUSES_S, None):
            try:
                answer = self._client.request(method, path, **options)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if pause is None or isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
                    raise Unreachable(
                        f"the Prefect server at {self.connection.url} does not answer. Start it (`slipway server "
                        f"up`; for the lab `make lab`), or set PREFECT_API_URL ({error or type(error).__name__})"
                    ) from None
                self._pause(pause)
                continue
            if answer.status_code not in _BUSY or pause is None:
                return self._read(answer, path)
            self._pause(_asked_for(answer) or pause)
        raise AssertionError("not reached")

    def _read(self, answer: httpx.Response, path: str) -> Any:
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise LoginRefused(
                f"the Prefect API at {self.connection.url} refuses our login; set PREFECT_API_AUTH_STRING to "
                "NAME:PASSWORD, in the environment or in the Prefect profile (the lab's `.slipway/bin/slipway` has it)"
            )
        if not answer.is_success:
            raise PrefectFailed(
                f"Prefect's API at {self.connection.url}{path}: {answer.status_code}: {excerpt(answer)}",
                answer.status_code,
            )
        try:
            return json.loads(answer.content) if answer.content else None
        except (ValueError, RecursionError):
            raise PrefectFailed(f"what answers at {self.connection.url}{path} is not Prefect's API") from None


def _asked_for(answer: httpx.Response) -> float:
    """Seconds that the server asks us to wait; 0: it says nothing."""
    try:
        return min(max(float(answer.headers.get("Retry-After", 0)), 0.0), _LONGEST_PAUSE_S)
    except ValueError:
        return 0.0
