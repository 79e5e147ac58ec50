"""A remote command whose output has no end: handed on line by line, and kept nowhere."""

import select
import time
from collections.abc import Callable, Sequence

import paramiko

from blocks.errors import Unreachable
from blocks.ssh.output import Line, LineCollector
from blocks.ssh.session import Session

_CHUNK, _LOOK_S = 65536, 0.5
# What paramiko says where the other side said no exit code.
_NONE = -1


def stream_command(
    session: Session,
    argv: Sequence[str],
    on_line: Line,
    *,
    stdin: bytes = b"",
    on_error: Line | None = None,
    timeout: float | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> int | None:
    """Run a command, and hand on each line as it comes; its standard input stays open until this ends.

    Args:
        stdin: what it reads first.
        on_error: lines of its standard error; default: as the others.
        timeout: seconds after which it is left; None: when it ends, or when `stopped` says so.

    Returns:
        Its exit code; None where it was left before it ended.

    Raises:
        Unreachable
    """
    channel = session.start(argv)
    out, err = _Lines(on_line), _Lines(on_error or on_line)
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        channel.sendall(stdin)
        while not stopped() and (deadline is None or time.monotonic() < deadline):
            while channel.recv_ready():
                out.feed(channel.recv(_CHUNK))
            while channel.recv_stderr_ready():
                err.feed(channel.recv_stderr(_CHUNK))
            if channel.closed or (channel.eof_received and channel.exit_status_ready()):
                if channel.recv_ready() or channel.recv_stderr_ready():
                    continue
                out.end()
                err.end()
                if (code := channel.recv_exit_status()) == _NONE:
                    raise EOFError
                return code
            select.select([channel], [], [], _LOOK_S)
            if not session.alive:
                raise EOFError
    except (paramiko.SSHException, OSError, EOFError) as error:
        words = f"the connection broke during `{argv[0]}`: {error or 'closed'}"
        raise Unreachable(f"{session.address}: {words}") from None
    finally:
        channel.close()
    return None


class _Lines(LineCollector):
    """Lines as they come; what was handed on is forgotten."""

    def feed(self, data: bytes) -> None:
        super().feed(data)
        self._all.seek(0)
        self._all.truncate()
