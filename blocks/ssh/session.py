"""An SSH connection to a droplet: runs commands, streams their output, opens sockets.

Protocol: RFC 4254, by paramiko. The host key is always compared with the pinned one.
"""

import contextlib
import math
import select
import shlex
import time
from collections.abc import Iterable, Sequence
from types import TracebackType

import paramiko

from blocks.errors import HostKeyRefused, LoginRefused, OutputTooLarge, RemoteFailed, RemoteTimeout, Unreachable
from blocks.ssh.keys import SshTarget, accept_pinned_key_only, host_key_changed, read_private_key
from blocks.ssh.output import LARGEST, Line, LineCollector, command_name, tail
from blocks.ssh.shell import CommandResult

KEEPALIVE = 15
_CHUNK = 65536
_GRACE = 10.0
TIMED_OUT = 124
_KILLED = 137


class Session:
    """An SSH connection, to be used as a context manager.

    Raises on entry:
        HostKeyRefused: the key is unknown or changed.
        LoginRefused: the droplet does not take our key.
        Unreachable: no connection within `timeout` seconds.
    """

    def __init__(self, address: SshTarget, private_key: str, timeout: float = 15.0) -> None:
        self.address = address
        self._private_key = private_key
        self._timeout = timeout
        self._client: paramiko.SSHClient | None = None

    def __enter__(self) -> "Session":
        key = read_private_key(self._private_key, self.address)
        client = paramiko.SSHClient()
        accept_pinned_key_only(client, self.address)
        try:
            client.connect(
                self.address.host,
                self.address.port,
                self.address.user,
                pkey=key,
                timeout=self._timeout,
                banner_timeout=self._timeout,
                auth_timeout=self._timeout,
                allow_agent=False,
                look_for_keys=False,
            )
        except BaseException as error:
            client.close()
            translated = _translate_error(error, self.address)
            if translated is None:
                raise
            raise translated from None
        transport = client.get_transport()
        assert transport is not None
        transport.set_keepalive(KEEPALIVE)
        self._client = client
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def run(
        self,
        command: str | Sequence[str],
        *,
        timeout: float,
        stdin: bytes | Iterable[bytes] = b"",
        on_line: Line | None = None,
        check: bool = True,
        name: str = "",
    ) -> CommandResult:
        """Run one command and return its result.

        Args:
            command: argv, or a script for `sh -c`.
            timeout: seconds; the droplet ends the command then, and we stop waiting soon after.
            stdin: what the command reads, at once or piece by piece; secrets go this way.
            on_line: called with each line of standard output and error as it comes.
            check: raise when it exits with anything but 0.
            name: what it is called in errors; default: its first word, or the script's first line.

        Raises:
            RemoteFailed, RemoteTimeout, OutputTooLarge, Unreachable
        """
        argv = ["sh", "-c", command] if isinstance(command, str) else list(command)
        limited = [
            "timeout",
            "-k",
            "5",
            str(math.ceil(timeout)),
            *argv,
        ]  # 0 would be no limit; busybox knows no long words
        name = name or command_name(command)
        try:
            channel = self._transport().open_session(timeout=self._timeout)
            try:
                answer = self._talk(channel, shlex.join(limited), stdin, timeout + _GRACE, on_line)
            finally:
                channel.close()
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise Unreachable(f"{self.address}: the connection broke during `{name}`: {error or 'closed'}") from None
        if answer.code in (TIMED_OUT, _KILLED) or answer.code < 0:
            raise RemoteTimeout(f"{self.address}: `{name}` did not end within {timeout:.0f} s, and was ended")
        if check and answer.code != 0:
            words = tail(answer.err.strip() or answer.out.strip())
            raise RemoteFailed(f"{self.address}: `{name}` ended with exit {answer.code}: {words}", answer.code, words)
        return answer

    @property
    def alive(self) -> bool:
        """Whether the connection is still open, as far as this side knows."""
        transport = self._client.get_transport() if self._client else None
        return bool(transport and transport.is_active())

    def start(self, argv: Sequence[str]) -> paramiko.Channel:
        """Start a command, and return the channel of its standard input and output.

        Raises:
            Unreachable
        """
        try:
            channel = self._transport().open_session(timeout=self._timeout)
            channel.exec_command(shlex.join(argv))
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise Unreachable(f"{self.address}: the connection broke: {error or 'closed'}") from None
        return channel

    def break_off(self) -> None:
        """Close the connection from another thread, so that whoever waits on it gets an error."""
        if self._client is not None and (transport := self._client.get_transport()) is not None:
            transport.close()

    def open_socket(self, host: str, port: int) -> paramiko.Channel:
        """A socket to `host:port` as the droplet sees it (direct-tcpip, RFC 4254 section 7.2)."""
        try:
            return self._transport().open_channel("direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=self._timeout)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise ConnectionRefusedError(f"{host}:{port} on {self.address}: {error}") from None

    def _transport(self) -> paramiko.Transport:
        transport = self._client.get_transport() if self._client else None
        if transport is None or not transport.is_active():
            raise Unreachable(f"{self.address}: the connection is closed")
        return transport

    def _talk(
        self,
        channel: paramiko.Channel,
        command: str,
        stdin: bytes | Iterable[bytes],
        limit: float,
        on_line: Line | None,
    ) -> CommandResult:
        deadline = time.monotonic() + limit
        channel.settimeout(limit)
        channel.exec_command(command)
        out, err = LineCollector(on_line), LineCollector(on_line)
        for piece in (stdin,) if isinstance(stdin, bytes) else stdin:
            if not _sent(channel, piece, deadline):
                break
        with contextlib.suppress(OSError):
            channel.shutdown_write()
        while True:
            while channel.recv_ready() and time.monotonic() < deadline:
                out.feed(channel.recv(_CHUNK))
                self._refuse_flood(out, err)
            while channel.recv_stderr_ready() and time.monotonic() < deadline:
                err.feed(channel.recv_stderr(_CHUNK))
                self._refuse_flood(out, err)
            left = deadline - time.monotonic()
            if left <= 0:
                return CommandResult(TIMED_OUT, out.end(), err.end())
            if channel.closed or (channel.eof_received and channel.exit_status_ready()):
                if not channel.recv_ready() and not channel.recv_stderr_ready():
                    break
                continue
            select.select([channel], [], [], min(left, 0.5))
            if not channel.get_transport().is_active():
                raise EOFError
        code = channel.recv_exit_status() if channel.exit_status_ready() else -1
        if code == -1:
            raise EOFError
        return CommandResult(code, out.end(), err.end())

    def _refuse_flood(self, *streams: LineCollector) -> None:
        if sum(stream.size for stream in streams) > LARGEST:
            raise OutputTooLarge(f"{self.address}: a command printed more than {LARGEST:,} bytes, and was given up on")


def _sent(channel: paramiko.Channel, piece: bytes, deadline: float) -> bool:
    """Whether all of it was sent. A command may end before it has read all: its exit code says why."""
    unsent = memoryview(piece)
    try:
        while unsent and (left := deadline - time.monotonic()) > 0:
            channel.settimeout(left)
            if not (sent := channel.send(bytes(unsent[:_CHUNK]))):
                break
            unsent = unsent[sent:]
    except OSError:
        return False
    return not unsent


def _translate_error(error: BaseException, address: SshTarget) -> Exception | None:
    if isinstance(error, HostKeyRefused):
        return error
    if isinstance(error, paramiko.BadHostKeyException):
        return host_key_changed(address, error.key)
    if isinstance(error, paramiko.AuthenticationException):
        return LoginRefused(
            f"{address} refuses the key of user {address.user}. "
            "Is its public half in that user's ~/.ssh/authorized_keys?"
        )
    if isinstance(error, (paramiko.SSHException, OSError, EOFError)):
        return Unreachable(
            f"{address} cannot be reached: {error or type(error).__name__}. "
            f"Is it on, and does `ssh -p {address.port} {address.user}@{address.host}` work?"
        )
    return None
