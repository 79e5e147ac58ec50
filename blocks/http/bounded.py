"""HTTP clients whose answers have an end: in bytes, also once unpacked, and in time, however slowly they come."""

import codecs
import time
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from blocks.http import tls
from blocks.http.deadline import WITHIN, tcp_transport

LARGEST = 64 * 1024 * 1024
# As an extension of a request: how many bytes its answer may have.
MOST = "slipway_most"
_CODINGS = "gzip, deflate"
_GZIP_OR_ZLIB = 47
# Encodings of Python that are none of a text, or take time that grows with its square.
_NO_CHARSETS = ("punycode", "idna", "undefined", "unicode_escape", "raw_unicode_escape")


def bounded_client(
    url: str,
    *,
    timeout: float,
    within: float | None = None,
    trust_env: bool = True,
    retries: int = 0,
    authority: str = "",
    encrypted: bool = True,
    **options: Any,
) -> httpx.Client:
    """A client for one server.

    Args:
        url: the server's address, which decides on the proxy.
        timeout: seconds without a byte.
        within: seconds for a whole answer; None: those of `timeout`.
        authority: certificates (PEM) of an authority that is trusted besides the public ones.
        encrypted: whether TLS may be spoken. Where not, no certificates are read, which takes longer than a question.
        options: what `httpx.Client` takes besides.
    """
    proxy = proxy_for(url) if trust_env else None
    trusted = tls.context(authority) if encrypted else tls.nobodys()
    inner = tcp_transport(trusted, within or timeout, proxy, retries)
    return httpx.Client(transport=BoundedTransport(inner, within or timeout), timeout=timeout, **options)


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for this address, as docker and curl understand it."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return None if proxy_bypass(host) else getproxies().get(parts.scheme) or getproxies().get("all")


class BoundedTransport(httpx.BaseTransport):
    """A transport whose answers are read to a limit of bytes and of time, and unpacked here, so that both count.

    Args:
        within: seconds for a whole answer; None: whoever sends it takes care.
    """

    def __init__(self, inner: httpx.BaseTransport, within: float | None = None) -> None:
        self._inner = inner
        self._within = within

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["Accept-Encoding"] = _CODINGS
        answer = self._inner.handle_request(request)
        most, within = request.extensions.get(MOST, LARGEST), request.extensions.get(WITHIN, self._within)
        coding = answer.headers.get("Content-Encoding", "").strip().lower()
        assert isinstance(answer.stream, httpx.SyncByteStream)
        headers = [(name.lower(), value) for name, value in answer.headers.raw]
        return httpx.Response(
            answer.status_code,
            headers=[(n, _of_text(v) if n == b"content-type" else v) for n, v in headers if n != b"content-encoding"],
            stream=_BoundedBody(answer.stream, coding, most, within, request),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        self._inner.close()


class _BoundedBody(httpx.SyncByteStream):
    def __init__(
        self, stream: httpx.SyncByteStream, coding: str, most: int, within: float | None, request: httpx.Request
    ) -> None:
        self._stream, self._coding, self._most, self._within, self._request = stream, coding, most, within, request

    def __iter__(self) -> Iterator[bytes]:
        deadline, left = time.monotonic() + (self._within or 0), self._most
        for piece in self._pieces():
            if self._within is not None and time.monotonic() > deadline:
                raise httpx.ReadTimeout(f"the answer did not end within {self._within:g} s", request=self._request)
            left -= len(piece)
            if left < 0:
                raise httpx.ReadError(f"the answer is larger than {self._most:,} bytes", request=self._request)
            yield piece

    def _pieces(self) -> Iterator[bytes]:
        if self._coding in ("", "identity"):
            yield from self._stream
            return
        if self._coding not in ("gzip", "x-gzip", "deflate"):
            raise httpx.DecodingError(f"the answer is packed as {self._coding[:20]!r}", request=self._request)
        unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
        try:
            for packed in self._stream:
                piece = unpacker.decompress(packed, LARGEST + 1)
                while piece:
                    yield piece
                    piece = unpacker.decompress(unpacker.unconsumed_tail, LARGEST + 1)
        except zlib.error as error:
            raise httpx.DecodingError(str(error), request=self._request) from None

    def close(self) -> None:
        self._stream.close()


def _of_text(content_type: bytes) -> bytes:
    """A content type without a charset that is none: `hex` is one to Python, and ends in a TypeError."""
    kind, _, parameters = content_type.partition(b";")
    name = parameters.decode("latin-1").lower().partition("charset=")[2].partition(";")[0].strip("\"' ")
    if not name:
        return content_type
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return kind
    is_text = getattr(found, "_is_text_encoding", True) and found.name.replace("-", "_") not in _NO_CHARSETS
    return content_type if is_text else kind
