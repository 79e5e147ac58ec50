"""The transport of our HTTP clients: each answer has a deadline, however slowly its headers and its body come.

httpx's own timeout begins anew with every byte.
"""

import contextlib
import math
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore
import httpx

# As an extension of a request: seconds for its whole answer, in place of those of the client.
WITHIN = "slipway_within"
_LONGEST = 3600.0


class Deadline(threading.local):
    """When the answer that this thread waits for must have ended, by the monotonic clock."""

    at = math.inf
    within: float | None = None

    def begin(self, within: float | None) -> None:
        """Give an answer so many seconds from now on; None: as long as it takes."""
        self.within = within
        self.renew()

    def renew(self) -> None:
        """Give it as many once more."""
        self.at = math.inf if self.within is None else time.monotonic() + self.within

    def left(self, timeout: float | None) -> float:
        """Seconds that one read or write may take.

        Raises:
            TimeoutError
        """
        left = min(self.at - time.monotonic(), math.inf if timeout is None else timeout)
        if left <= 0:
            raise TimeoutError
        return min(left, _LONGEST)


class DeadlineTransport(httpx.BaseTransport):
    """Sends requests through a pool of connections whose streams keep to a deadline.

    Args:
        within: seconds for an answer; None: those that a request gives for a read.
    """

    def __init__(self, pool: httpcore.ConnectionPool, deadline: Deadline, within: float | None = None) -> None:
        self._pool, self._deadline, self._within = pool, deadline, within

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        target = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        usual = self._within or request.extensions.get("timeout", {}).get("read")
        self._deadline.begin(request.extensions.get(WITHIN, usual))
        body = request.stream
        assert isinstance(body, httpx.SyncByteStream)
        with _as_httpx(request):
            answer = self._pool.handle_request(
                httpcore.Request(
                    request.method,
                    target,
                    headers=request.headers.raw,
                    content=body,
                    extensions=request.extensions,
                )
            )
        assert isinstance(answer.stream, Iterable)
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer.stream, request),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        self._pool.close()


def tcp_transport(tls: ssl.SSLContext, within: float, proxy: str | None = None, retries: int = 0) -> DeadlineTransport:
    """A transport over TCP. An answer's time begins once its request is sent: a large upload takes as long as it takes.

    Args:
        within: seconds for an answer.
        proxy: address of an HTTP or SOCKS proxy.
        retries: how often a connection is tried again.
    """
    deadline = Deadline()
    pool = httpcore.ConnectionPool(
        ssl_context=tls,
        proxy=None if proxy is None else _as_proxy(httpx.Proxy(proxy)),
        max_connections=100,
        max_keepalive_connections=20,
        keepalive_expiry=5.0,
        retries=retries,
        network_backend=_TcpBackend(deadline),
    )
    return DeadlineTransport(pool, deadline, within)


class _TcpBackend(httpcore.NetworkBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(self, host: str, port: int, *args: Any, **options: Any) -> httpcore.NetworkStream:
        stream = _TcpStream(self._inner.connect_tcp(host, port, *args, **options), self._deadline)
        self._deadline.renew()
        return stream

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _TcpStream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._inner.read(max_bytes, self._deadline.left(timeout))
        except (TimeoutError, httpcore.ReadTimeout):
            raise httpcore.ReadTimeout(
                f"the answer did not end within {self._deadline.within or timeout:g} s"
            ) from None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)
        self._deadline.renew()

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = _TcpStream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._deadline)
        self._deadline.renew()
        return stream

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Any, request: httpx.Request) -> None:
        self._stream = stream
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx(self._request):
            yield from self._stream

    def close(self) -> None:
        self._stream.close()


def _as_proxy(proxy: httpx.Proxy) -> httpcore.Proxy:
    address = httpcore.URL(
        scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target=proxy.url.raw_path
    )
    return httpcore.Proxy(address, auth=proxy.raw_auth, headers=proxy.headers.raw)


@contextlib.contextmanager
def _as_httpx(request: httpx.Request) -> Iterator[None]:
    """Raise httpcore's errors as httpx's own of the same names, as httpx's transport does."""
    try:
        yield
    except (
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.ProxyError,
        httpcore.UnsupportedProtocol,
    ) as error:
        kind = getattr(httpx, type(error).__name__)
        raise kind(str(error) or type(error).__name__, request=request) from None
