"""Lets a droplet reach a port of this machine under the same address, through SSH (RFC 4254 section 7.1)."""

import socket
import threading
from contextlib import suppress
from typing import Any

import paramiko

_CHUNK = 65536


class ReverseTunnel:
    """`127.0.0.1:PORT` on the droplet leads to `127.0.0.1:PORT` here while it is open.

    Args:
        block: a Droplet block.
    """

    def __init__(self, block: Any, port: int) -> None:
        self._block = block
        self._port = port
        self._client: paramiko.SSHClient | None = None

    def open(self) -> None:
        """Connect, and forward."""
        self.close()
        session = self._block.session()
        session.__enter__()
        self._client = session._client
        transport = self._client.get_transport()
        assert transport is not None
        transport.request_port_forward("127.0.0.1", self._port, self._arrived)

    def close(self) -> None:
        """Stop it: connections on the droplet are refused from now on."""
        if self._client is not None:
            with suppress(OSError, EOFError, paramiko.SSHException):
                self._client.get_transport().cancel_port_forward("127.0.0.1", self._port)  # type: ignore[union-attr]
            self._client.close()
            self._client = None

    def _arrived(self, channel: paramiko.Channel, _origin: object, _server: object) -> None:
        try:
            near = socket.create_connection(("127.0.0.1", self._port), timeout=5)
        except OSError:
            channel.close()
            return
        near.settimeout(None)
        for source, target in ((channel, near), (near, channel)):
            threading.Thread(target=_pump, args=(source, target), name="reverse-pump", daemon=True).start()


def _pump(source: Any, target: Any) -> None:
    with suppress(OSError, EOFError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    with suppress(OSError, EOFError):
        target.shutdown(socket.SHUT_WR) if isinstance(target, socket.socket) else target.shutdown_write()
    if source_done(source, target):
        source.close()
        target.close()


def source_done(source: Any, target: Any) -> bool:
    """Whether both directions have ended."""
    channel = source if isinstance(source, paramiko.Channel) else target
    return bool(channel.closed or (channel.eof_received and channel.eof_sent))
