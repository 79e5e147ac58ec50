"""TLS over a stream that is no socket, such as a channel of an SSH connection."""

import ssl
from collections.abc import Callable
from typing import Any, TypeVar

import httpcore

Done = TypeVar("Done")
_CHUNK = 65536


class TlsStream(httpcore.NetworkStream):
    """A stream that encrypts what it sends through another one, and decrypts what comes.

    Raises:
        httpcore.ConnectError: the other side does not speak TLS, or refuses ours.
    """

    def __init__(
        self, inner: httpcore.NetworkStream, context: ssl.SSLContext, host: str | None, timeout: float | None
    ) -> None:
        self._inner = inner
        self._come, self._go = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._come, self._go, server_hostname=host)
        try:
            self._run(self._tls.do_handshake, timeout)
        except (ssl.SSLError, httpcore.ReadError, httpcore.WriteError) as error:
            inner.close()
            raise httpcore.ConnectError(f"TLS with {host or 'the edge'}: {error}") from None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._run(lambda: self._tls.read(max_bytes), timeout)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        except ssl.SSLError as error:
            raise httpcore.ReadError(str(error)) from None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        try:
            while rest:
                rest = rest[self._run(lambda part=rest: self._tls.write(part), timeout) :]  # type: ignore[misc]
        except ssl.SSLError as error:
            raise httpcore.WriteError(str(error)) from None

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._tls if info == "ssl_object" else self._inner.get_extra_info(info)

    def _run(self, step: Callable[[], Done], timeout: float | None) -> Done:
        """Take a step as often as it asks for what the other side has yet to say."""
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                self._flush(timeout)
                if came := self._inner.read(_CHUNK, timeout):
                    self._come.write(came)
                else:
                    self._come.write_eof()
                continue
            self._flush(timeout)
            return done

    def _flush(self, timeout: float | None) -> None:
        if waiting := self._go.read():
            self._inner.write(waiting, timeout)
