"""A command in a terminal, carried out by a fork of the template of a worker on this machine.

It begins at once, and everything else is as if it ran here: its streams, environment, directory, signals and exit code.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType

from flows.worker.meeting_place import mark, meeting_place
from flows.worker.protocol import LENGTH, Answer, BadFrame, StartRequest, body_length, frame, parse_answer

# In the environment of a fork until it has begun: it is to ask no template again.
ATTACHED = "SLIPWAY__ATTACHED"
# They last, replace themselves, or begin quickly anyway.
NOT_FORKED = frozenset({"worker", "server", "alert-receiver", "trigger", "init", "setup"})
_STARTS_WITHIN_S = 2.0
_LOOK_EVERY_S = 0.2
_UNKNOWN = 1
# What a terminal's own set-up of logging is in a process that begins (flows/cli/terminal/runner.py:run_callable).
_QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_INTERNAL_LOGGING_LEVEL": "CRITICAL",
}
_FORWARDED = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)


def run_attached(words: Sequence[str], module: str = "flows.cli", *, looks: bool = False) -> None:
    """Have a template carry the command line out, and end as it ended; return where none does.

    Args:
        words: the command line without the name of the program.
        looks: it leaves no run, so Prefect's log needs no set-up.
    """
    if not _wanted(words):
        return
    for connection in _templates():
        with connection:
            if pid := _asked(connection, words, module, {} if looks else _QUIET):
                _end_as(_status(connection, pid))


def _wanted(words: Sequence[str]) -> bool:
    command = next((word for word in words if not word.startswith("-")), "")
    plain = sys.stdout is not None and sys.stdout.encoding.lower() == "utf-8"
    return (
        sys.platform == "linux"
        and bool(command)
        and command not in NOT_FORKED
        and not {"--help", "--version"} & {*words}
        and plain
    )


def _templates() -> list[socket.socket]:
    """Connections to the templates that this command may ask."""
    place, found = meeting_place(), list[socket.socket]()
    for directory in sorted(place.glob(f"{mark()}-*")) if place else ():
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_STARTS_WITHIN_S)
        try:
            connection.connect(str(directory / "template"))
            found.append(connection)
        except OSError:  # its worker was killed
            connection.close()
    return found


def _asked(connection: socket.socket, words: Sequence[str], module: str, more: Mapping[str, str]) -> int | None:
    """The pid of the fork that begins with this command; None where the template does not do that."""
    os.umask(umask := os.umask(0o077))
    env = {**more, **os.environ, ATTACHED: "1"}
    request = StartRequest(
        module, [*words], env, os.getcwd(), attached=True, first=os.path.abspath(sys.path[0]), umask=umask
    )
    try:
        whole = frame(request)
        sent = socket.send_fds(connection, [whole], [0, 1, 2])
        connection.sendall(whole[sent:])
        return _answer(connection).pid
    except (OSError, EOFError, BadFrame):
        return _last_word(connection)


def _last_word(connection: socket.socket) -> int | None:
    """What came before nothing could come any more: from then on, its fork does not begin."""
    with suppress(OSError, EOFError, BadFrame):
        connection.shutdown(socket.SHUT_RD)
        return _answer(connection).pid
    return None


def _status(connection: socket.socket, pid: int) -> int:
    """Until the fork ended; its exit status, negative for a signal. Signals that come meanwhile go to it."""

    def forward(number: int, _frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, number) if number == signal.SIGTERM else os.killpg(pid, number)

    def stop(_number: int, _frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGSTOP)  # a session without a terminal ignores what Ctrl-Z sends
        os.kill(os.getpid(), signal.SIGSTOP)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGCONT)

    for number in _FORWARDED:
        signal.signal(number, forward)
    signal.signal(signal.SIGTSTP, stop)
    connection.settimeout(None)
    try:
        status = _answer(connection).status
    except (OSError, EOFError, BadFrame):  # the template was killed; its fork goes on
        status = None
        with suppress(ProcessLookupError):
            while True:
                os.kill(pid, 0)
                time.sleep(_LOOK_EVERY_S)
    return _UNKNOWN if status is None else status


def _answer(connection: socket.socket) -> Answer:
    return parse_answer(_exactly(connection, body_length(_exactly(connection, LENGTH.size))))


def _exactly(connection: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        if not (piece := connection.recv(count - len(received))):
            raise EOFError
        received += piece
    return received


def _end_as(status: int) -> None:
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status & 0xFF)
