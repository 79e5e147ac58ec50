"""HTTP clients whose connections go through an SSH connection: to containers of a droplet, without a local port, and
to the edge that runs there."""

import ssl
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx
import paramiko

from blocks.http import tls
from blocks.http.bounded import BoundedTransport
from blocks.http.deadline import Deadline, DeadlineTransport
from blocks.ssh.shell import RemoteShell
from blocks.ssh.tls import TlsStream


@dataclass(frozen=True)
class EdgeAddress:
    """Where an edge listens, as its host sees it, and an authority (PEM) that may have signed its certificate, beside
    the public ones."""

    host: str
    port: int
    authority: str = ""


def http_client(
    session: RemoteShell, timeout: float, connections: int = 20, edge: EdgeAddress | None = None
) -> httpx.Client:
    """An httpx client in the droplet's network: `http://172.18.0.5:8000/…` is a container there.

    Args:
        timeout: seconds for a whole answer, from the first byte that is sent to the last that comes.
        edge: where every connection leads, as the droplet sees it, whatever host a request names; then by https, too.
    """
    deadline = Deadline()
    pool = httpcore.ConnectionPool(
        network_backend=_Backend(session, deadline, edge),
        ssl_context=tls.context(edge.authority) if edge else None,
        max_connections=connections,
        keepalive_expiry=5,
    )
    transport = BoundedTransport(DeadlineTransport(pool, deadline))
    return httpx.Client(transport=transport, timeout=timeout, trust_env=False)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, session: RemoteShell, deadline: Deadline, edge: EdgeAddress | None) -> None:
        self._session = session
        self._deadline = deadline
        self._edge = edge

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        try:
            channel = self._session.open_socket(*((self._edge.host, self._edge.port) if self._edge else (host, port)))
            return _Stream(channel, self._deadline, encrypts=self._edge is not None)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from None


class _Stream(httpcore.NetworkStream):
    def __init__(self, channel: paramiko.Channel, deadline: Deadline, encrypts: bool) -> None:
        self._channel = channel
        self._deadline = deadline
        self._encrypts = encrypts

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
        if self._encrypts:
            return TlsStream(self, ssl_context, server_hostname, timeout)
        raise httpcore.UnsupportedProtocol("containers are probed by http; TLS ends at the edge")

    def get_extra_info(self, info: str) -> Any:
        return None
