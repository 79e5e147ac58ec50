"""What came with a request, read by type; everything that is wrong with it is a sentence for the caller."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import Request

MAX_BODY = 1024 * 1024
MAX_TEXT = 200_000
ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
"""What a stored thing may be called: safe in a path, a query and a log line."""
_REQUIRED: Any = object()


class Refused(Exception):
    """A request that is answered with ``status`` and ``message`` and goes no further."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.message, self.status = message, status


class Fields(Mapping[str, Any]):
    """The request's JSON object, query and path parameters as one mapping with typed readers."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def text(self, name: str, default: str = _REQUIRED, *, like: str = "", limit: int = MAX_TEXT) -> str:
        """The non-empty text of ``name``, at most ``limit`` characters, matching the pattern ``like``."""
        value = self._values.get(name, default)
        if value is _REQUIRED:
            raise Refused(f"field '{name}' is missing")
        if not isinstance(value, str) or not (value.strip() or value == default):
            raise Refused(f"field '{name}' must be a text that is not empty")
        if len(value) > limit:
            raise Refused(f"field '{name}' is longer than {limit} characters")
        if like and not re.fullmatch(like, value):
            raise Refused(f"field '{name}' must match {like}")
        return value

    def choice(self, name: str, known: Iterable[str], default: str = _REQUIRED) -> str:
        """The text of ``name`` in lower case, which must be one of ``known``."""
        value = self.text(name, default, limit=100).strip().lower()
        if value not in (options := sorted(known)):
            raise Refused(f"field '{name}' must be one of {', '.join(options)}")
        return value

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """The whole number of ``name`` between ``low`` and ``high``; text from a query counts as a number."""
        value = self._values.get(name, default)
        if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,9}", str(value)):
            raise Refused(f"field '{name}' must be a whole number")
        if not low <= int(value) <= high:
            raise Refused(f"field '{name}' must be between {low} and {high}")
        return int(value)


async def read(request: Request) -> Fields:
    """The fields of a request; raises :class:`Refused` when its body is no JSON object this service can answer."""
    values = {**request.query_params, **request.path_params}
    if request.method in ("POST", "PUT"):
        values |= _parse(await _body(request))
    return Fields(values)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Refused(f"the body is larger than {MAX_BODY} bytes", status=413)
    return bytes(body)


def _parse(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body``. What could not be written back as JSON (1e999, half a surrogate) is refused too."""
    try:
        value = json.loads(body)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as problem:
        raise Refused(f"the body is not JSON: {type(problem).__name__}", status=400) from None
    if not isinstance(value, dict):
        raise Refused("the body must be a JSON object", status=400)
    return value
