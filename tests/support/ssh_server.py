"""An SSH server in this process: takes one key, runs what it is told by a function, forwards to this machine."""

import contextlib
import io
import socket
import threading
from collections.abc import Callable

import paramiko

from blocks.ssh.keys import SshTarget
from tests.support import PATIENCE

Work = Callable[[str, bytes, paramiko.Channel], int]


def key_text(key: paramiko.PKey) -> str:
    text = io.StringIO()
    key.write_private_key(text)
    return text.getvalue()


def public(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.get_base64()}"


HOST_KEY, OTHER_KEY, USER_KEY = (paramiko.ECDSAKey.generate() for _ in range(3))


class _Interface(paramiko.ServerInterface):
    def __init__(self, work: Work) -> None:
        self._work = work
        self.forwards: dict[int, tuple[str, int]] = {}

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_SUCCESSFUL if key == USER_KEY else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_direct_tcpip_request(self, chanid, origin, destination) -> int:
        with contextlib.suppress(OSError, EOFError):
            socket.create_connection(destination, timeout=PATIENCE).close()
            self.forwards[chanid] = destination
            return paramiko.OPEN_SUCCEEDED
        return paramiko.OPEN_FAILED_CONNECT_FAILED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self._run, args=(command.decode(), channel), daemon=True).start()
        return True

    def _run(self, command: str, channel: paramiko.Channel) -> None:
        first = channel.recv(1)  # nobody sends before we have said that the command runs, so now we have
        code = self._work(command, first, channel)
        if code >= 0:
            channel.send_exit_status(code)
        channel.close()


class Server:
    """Listens on a port of its own; `address` leads there with the right host key pinned."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._transports: list[paramiko.Transport] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_error) -> None:
        self._socket.close()
        self.hang_up()

    def address(self, host_key: paramiko.PKey | None = HOST_KEY) -> SshTarget:
        port = self._socket.getsockname()[1]
        return SshTarget("green", "127.0.0.1", port, "root", public(host_key) if host_key else "")

    def hang_up(self) -> None:
        for transport in self._transports:
            transport.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        transport = paramiko.Transport(connection)
        transport.add_server_key(HOST_KEY)
        self._transports.append(transport)
        interface = _Interface(self._work)
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(server=interface)
            while transport.is_active():
                channel = transport.accept(timeout=1)
                if channel is not None and channel.chanid in interface.forwards:
                    self._forward(channel, interface.forwards[channel.chanid])

    def _forward(self, channel: paramiko.Channel, destination: tuple[str, int]) -> None:
        outgoing = socket.create_connection(destination)
        for source, target in ((channel, outgoing), (outgoing, channel)):
            threading.Thread(target=_copy, args=(source, target), daemon=True).start()


def _copy(source, target) -> None:
    with contextlib.suppress(OSError, EOFError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
