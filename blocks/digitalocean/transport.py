"""Calls to DigitalOcean's API: the token, limits of requests, errors, and when it is safe to call again.

Source: https://docs.digitalocean.com/reference/api/ (rate limits, errors, pagination). 5,000 requests an hour, 250 a
minute; `retry-after` comes only with the second kind of 429, `ratelimit-reset` on both.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil
from typing import Any, NamedTuple, TypeVar

import httpx

from blocks.errors import AnswerLost, ApiFailed, NotAtDigitalOcean, OutsideError, RateLimited, TokenRefused, Unreachable
from blocks.http.bounded import bounded_client
from blocks.http.clear_text import refuse_clear_text
from blocks.http.content import read_json, read_mapping
from blocks.http.excerpt import excerpt
from blocks.polling import SYSTEM, Clock

Json = dict[str, Any]
Found = TypeVar("Found")
PER_PAGE = 200
AT_ONCE = 4
_TIMEOUT = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 4.0
_READINGS = 3
_MOST_PAGES = 1000
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True)
class _Call:
    """One call as it was asked for."""

    method: str
    path: str
    scope: str
    body: Json | None
    query: Mapping[str, Any]
    again: bool

    def __str__(self) -> str:
        return f"DigitalOcean: {self.method} {self.path}"


class _Failure(NamedTuple):
    """A call that failed, and after how many seconds it may be made again: 0 is soon, None is never."""

    error: OutsideError
    again_after: float | None


class Transport:
    """A client of the API with one token. Safe to use from several threads.

    Args:
        api: base address.
        token: of the account or team.
        patience: seconds in which a call that failed is made again.
    """

    def __init__(self, api: str, token: str, patience: float = 60.0, clock: Clock = SYSTEM) -> None:
        refuse_clear_text(api, "DigitalOcean's API")
        self.api = api.rstrip("/")
        self._http = bounded_client(
            self.api,
            timeout=_TIMEOUT,
            base_url=self.api,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
        )
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self.calls: list[str] = []
        """Every call that was sent, as `METHOD path`."""

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, scope: str, **query: Any) -> Json:
        """The answer to a GET, which is made again until it is answered or patience ends."""
        return self.send("GET", path, scope, query=query, again=True)

    def send(
        self,
        method: str,
        path: str,
        scope: str,
        body: Json | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        again: bool = False,
    ) -> Json:
        """The JSON that a call answers with; {} when it has none.

        Args:
            scope: what the token must be allowed to, for the error.
            again: whether it may be made twice. Otherwise a lost answer is an error, not a second call.

        Raises:
            ApiFailed (and its kinds), TokenRefused, Unreachable
        """
        call = _Call(method, path, scope, body, query or {}, again)
        deadline, pause = self._clock.now() + self._patience, _FIRST_PAUSE
        while isinstance(result := self._once(call), _Failure):
            error, wait = result
            if wait is None:
                raise error
            wait = wait or pause * random.uniform(0.7, 1.3)  # noqa: S311 — only so that clients do not march in step
            if self._clock.now() + wait > deadline:
                raise error
            self._clock.sleep(wait)
            pause = min(pause * 2, _LONGEST_PAUSE)
        return result

    def pages(self, path: str, key: str, scope: str, **query: Any) -> list[Json]:
        """Every item of a list; its pages are read at most four at a time.

        A list that changes meanwhile is read anew.

        Raises:
            ApiFailed: also when it changes all the time.
        """
        for _ in range(_READINGS):
            total, found = self._pages(path, key, scope, query)
            if total is not None and len({json.dumps(item, sort_keys=True) for item in found}) == total:
                return found
        raise ApiFailed(f"DigitalOcean: GET {path} changes faster than it can be read. Try again later")

    def parsed(self, call: str, parse: Callable[[Any], Found], found: Any) -> Found:
        """An answer of the API as one of our types.

        Raises:
            ApiFailed: it is not what its description says.
        """
        try:
            return parse(found)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, StopIteration) as error:
            what = f"{type(error).__name__}: {error}"
            raise ApiFailed(f"DigitalOcean: {call}: the answer is not as described ({what})") from None

    def _pages(self, path: str, key: str, scope: str, query: Mapping[str, Any]) -> tuple[int | None, list[Json]]:
        def page(number: int) -> tuple[int, list[Json]]:
            answer = self.get(path, scope, **query, page=number, per_page=PER_PAGE)
            return self.parsed(f"GET {path}", lambda a: (int(a["meta"]["total"]), list(a[key] or [])), answer)

        total, found = page(1)
        if total > _MOST_PAGES * PER_PAGE:
            raise ApiFailed(f"DigitalOcean: GET {path} says that there are {total} {key}, which nobody has")
        others = range(2, ceil(total / PER_PAGE) + 1)
        if not others:
            return total, found
        with ThreadPoolExecutor(min(AT_ONCE, len(others))) as pool:
            for so_many, more in pool.map(page, others):
                found += more
                total = total if so_many == total else -1
        return (total if total >= 0 else None), found

    def _once(self, call: _Call) -> Json | _Failure:
        with self._lock:
            self.calls.append(f"{call.method} {call.path}")
        try:
            answer = self._http.request(call.method, call.path, json=call.body, params=call.query)
        except httpx.HTTPError as error:
            what = f"{call}: {error or type(error).__name__}"
            if call.again or isinstance(error, _UNSENT):
                return _Failure(Unreachable(f"{what}. Does `curl {self.api}` answer?"), 0.0)
            return _Failure(AnswerLost(f"{what}. It may have taken effect"), None)
        return _json(call, answer) if answer.is_success else _refusal(call, answer)


def _json(call: _Call, answer: httpx.Response) -> Json | _Failure:
    if not answer.content:
        return {}
    found = read_mapping(answer.content)
    if found is not None:
        return found
    return _Failure(
        ApiFailed(f"{call}: {answer.status_code}, but no JSON: {excerpt(answer)}", answer.status_code), None
    )


def _refusal(call: _Call, answer: httpx.Response) -> _Failure:
    """What an answer that is no success means."""
    status = answer.status_code
    message, id = _error_message(answer)
    what = f"{call}: {status} {message}"
    if status == httpx.codes.UNAUTHORIZED:
        error = TokenRefused(f"{what}. The token is mistyped, expired or revoked: slipway account set")
        return _Failure(error, None)
    if status == httpx.codes.FORBIDDEN:
        error = TokenRefused(f"{what}. It needs the scope {call.scope}, and an account in order: slipway account check")
        return _Failure(error, None)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        wait = _wait(answer)
        return _Failure(RateLimited(f"{what}. The limit is lifted in {wait:.0f} s", status, id), wait)
    if status < httpx.codes.INTERNAL_SERVER_ERROR:
        kind = NotAtDigitalOcean if status == httpx.codes.NOT_FOUND else ApiFailed
        return _Failure(kind(what, status, id), None)
    if call.again:
        return _Failure(ApiFailed(what, status, id), 0.0)
    return _Failure(AnswerLost(f"{what}. It may have taken effect", status, id), None)


def _wait(answer: httpx.Response) -> float:
    """Seconds until the limit is lifted: `retry-after` for a burst, else when the oldest request is an hour old."""
    try:
        return max(0.05, float(answer.headers["retry-after"]))
    except (KeyError, ValueError):
        pass
    try:
        return max(0.5, float(answer.headers["ratelimit-reset"]) - time.time())
    except (KeyError, ValueError):
        return 1.0


def _error_message(answer: httpx.Response) -> tuple[str, str]:
    """An error's message with its request id, which DigitalOcean's support asks for; and its short name."""
    try:
        found = read_json(answer.content)
        asked = f" (request {found['request_id']})" if found.get("request_id") else ""
        return f"{found['id']}: {found['message']}{asked}", str(found["id"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return excerpt(answer), ""
