"""HTTP clients whose connections go through an SSH connection: to containers of a droplet, without a local port."""

import contextlib
import math
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore
import httpx
import paramiko

from blocks.http.bounded import BoundedTransport
from blocks.ssh.shell import RemoteShell

_LONGEST = 3600.0


def http_client(session: RemoteShell, timeout: float, connections: int = 20) -> httpx.Client:
    """An httpx client in the droplet's network: `http://172.18.0.5:8000/…` is a container there.

    Args:
        timeout: seconds for a whole answer, from the first byte that is sent to the last that comes.
    """
    transport = BoundedTransport(_Transport(session, connections))
    return httpx.Client(transport=transport, timeout=timeout, trust_env=False)


class _Deadline(threading.local):
    """When the answer that this thread waits for must have ended, by the monotonic clock."""

    at = math.inf

    def left(self, timeout: float | None) -> float:
        """Seconds that one read or write may take.

        Raises:
            TimeoutError
        """
        left = min(self.at - time.monotonic(), math.inf if timeout is None else timeout)
        if left <= 0:
            raise TimeoutError
        return min(left, _LONGEST)


class _Transport(httpx.BaseTransport):
    def __init__(self, session: RemoteShell, connections: int) -> None:
        self._deadline = _Deadline()
        self._pool = httpcore.ConnectionPool(
            network_backend=_Backend(session, self._deadline), max_connections=connections, keepalive_expiry=5
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        target = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        seconds = request.extensions.get("timeout", {}).get("read")
        self._deadline.at = math.inf if seconds is None else time.monotonic() + seconds
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


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Any, request: httpx.Request) -> None:
        self._stream = stream
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx(self._request):
            yield from self._stream

    def close(self) -> None:
        self._stream.close()


class _Backend(httpcore.NetworkBackend):
    def __init__(self, session: RemoteShell, deadline: _Deadline) -> None:
        self._session = session
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        try:
            return _Stream(self._session.open_socket(host, port), self._deadline)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from None


class _Stream(httpcore.NetworkStream):
    def __init__(self, channel: paramiko.Channel, deadline: _Deadline) -> None:
        self._channel = channel
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            self._channel.settimeout(self._deadline.left(timeout))
            return self._channel.recv(max_bytes)
        except TimeoutError:
            raise httpcore.ReadTimeout(f"the answer did not end within {timeout} s") from None
        except OSError as error:
            raise httpcore.ReadError(str(error)) from None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            self._channel.settimeout(self._deadline.left(timeout))
            self._channel.sendall(buffer)
        except TimeoutError:
            raise httpcore.WriteTimeout(f"not sent within {timeout} s") from None
        except OSError as error:
            raise httpcore.WriteError(str(error)) from None

    def close(self) -> None:
        self._channel.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        raise httpcore.UnsupportedProtocol("containers are probed by http; TLS ends at the edge")

    def get_extra_info(self, info: str) -> Any:
        return None


@contextlib.contextmanager
def _as_httpx(request: httpx.Request) -> Iterator[None]:
    """Raise httpcore's errors as httpx's own, as httpx's transport does."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise httpx.ReadTimeout(str(error) or "timed out", request=request) from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise httpx.ConnectError(str(error) or type(error).__name__, request=request) from None
