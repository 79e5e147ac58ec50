"""A client of Caddy's admin API through an SSH connection: reads and replaces the upstreams of a reverse_proxy.

Source: https://caddyserver.com/docs/api (`/id/…`, `Etag` and `If-Match`). The Etag comes as a trailer of the answer,
which HTTP clients drop, so the few bytes are spoken here with h11.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import h11

from blocks.errors import SwitchFailed, SwitchMoved, Unreachable
from blocks.http.content import read_json
from blocks.ssh.session import Session
from blocks.traffic.state import SwitchState

_TIMEOUT = 10.0
_STALE = 412
_LARGEST = 1024 * 1024


class CaddyAdmin:
    """The upstreams of one reverse_proxy handler.

    Args:
        admin: `host:port` of the API as the host itself sees it.
        handler: its `@id`.
        upstreams: colour → the `host:port`s it stands for.
        name: the name of the switch in errors.
    """

    def __init__(
        self, session: Session, admin: str, handler: str, upstreams: Mapping[str, Sequence[str]], name: str
    ) -> None:
        self._session = session
        self._host, _, self._port = admin.rpartition(":")
        self._path = f"/id/{handler}/upstreams"
        self._upstreams = {colour: sorted(dials) for colour, dials in upstreams.items()}
        self._name = name

    def read(self) -> SwitchState:
        status, body, etag = self._ask("GET", self._path)
        try:
            dials = sorted(str(entry["dial"]) for entry in read_json(body)) if status == 200 else None
        except (ValueError, KeyError, TypeError):
            dials = None
        if dials is None:
            raise SwitchFailed(f"{self._name}: GET {self._path}: {status} {body[:160].decode(errors='replace')}")
        active = tuple(c for c, mine in self._upstreams.items() if set(mine) & set(dials))
        return SwitchState(active, etag)

    def switch_to(self, to: str, seen: SwitchState) -> SwitchState:
        if seen.active == (to,):
            return self.read()
        body = json.dumps([{"dial": dial} for dial in self._upstreams[to]]).encode()
        status, answer, _ = self._ask("PATCH", self._path, body, seen.mark)
        if status == _STALE:
            now = self.read()
            if now.active == (to,):
                return now  # a turn that was sent twice, or somebody who wanted the same
            raise SwitchMoved(f"{self._name} was changed by somebody else since it was read. It was left as it is")
        if status != 200:
            raise SwitchFailed(f"{self._name}: PATCH {self._path}: {status} {answer[:160].decode(errors='replace')}")
        return self.read()

    def _ask(self, method: str, path: str, body: bytes = b"", match: str = "") -> tuple[int, bytes, str]:
        headers = [("Host", f"{self._host}:{self._port}"), ("Connection", "close"), ("TE", "trailers")]
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))] if body else []
        headers += [("If-Match", match)] if match else []
        client = h11.Connection(h11.CLIENT)
        try:
            channel = self._session.open_socket(self._host, int(self._port))
            channel.settimeout(_TIMEOUT)
            try:
                channel.sendall(client.send(h11.Request(method=method, target=path, headers=headers)) or b"")
                channel.sendall((client.send(h11.Data(data=body)) or b"") if body else b"")
                channel.sendall(client.send(h11.EndOfMessage()) or b"")
                return _read_answer(client, channel)
            finally:
                channel.close()
        except (OSError, EOFError, UnicodeError, h11.ProtocolError) as error:
            raise Unreachable(f"{self._name}: {method} {path}: {error or type(error).__name__}") from None


def _read_answer(client: h11.Connection, channel: Any) -> tuple[int, bytes, str]:
    status, body, etag = 0, b"", ""
    deadline = time.monotonic() + _TIMEOUT
    while len(body) <= _LARGEST:
        event = client.next_event()
        if event is h11.NEED_DATA:
            if (left := deadline - time.monotonic()) <= 0:
                raise OSError(f"the answer did not end within {_TIMEOUT:g} s")
            channel.settimeout(left)
            client.receive_data(channel.recv(65536))
        elif isinstance(event, h11.Response):
            status, etag = event.status_code, _etag(event.headers)
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return status, body, _etag(event.headers) or etag
        elif isinstance(event, h11.ConnectionClosed):
            raise EOFError("the connection was closed")
    raise OSError(f"the answer is larger than {_LARGEST:,} bytes")


def _etag(headers: Any) -> str:
    return next((value.decode("ascii") for name, value in headers if name.lower() == b"etag"), "")
