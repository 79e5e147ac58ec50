"""`python -m flows.worker.template SOCKET`: keeps Prefect and the flows imported, and forks for whoever asks.

One thread, no event loop: a fork copies the thread that forks and every lock as it is. SOCKET is the number of a
listening Unix socket that was inherited. It ends when its standard input does, which is when its worker is gone; what
it forked goes on, as what a process worker started goes on.
"""

import os
import selectors
import signal
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from flows.worker import child
from flows.worker.code_state import CodeState, code_state, search_path
from flows.worker.imported import Imported, preload
from flows.worker.protocol import STDIO, Answer, BadFrame, StartRequest, frame, parse_request, whole_frame

_CHUNK = 262_144
_CREDENTIALS = struct.Struct("3i")


@dataclass(eq=False)
class _Client:
    """Somebody who asked: what came from them so far, and the fork they have."""

    connection: socket.socket
    received: bytearray = field(default_factory=bytearray)
    files: list[int] = field(default_factory=list)
    pid: int = 0
    attached: bool = False


class Template:
    """Takes requests on a socket, forks, and says when and how each fork ended.

    Args:
        listener: its socket.
        lifeline: a descriptor that can be read when the worker is gone.
        state: looks at the code on disk.
        imported: what forks have imported.
    """

    def __init__(
        self, listener: socket.socket, lifeline: int, state: Callable[[], CodeState], imported: Imported
    ) -> None:
        self._listener = listener
        self._lifeline = lifeline
        self._code_state = state
        self._imported = imported
        self._clients: set[_Client] = set()
        self._selector = selectors.DefaultSelector()
        self._ended, self._wakeup = socket.socketpair()
        self._taking = True

    def serve(self) -> None:
        """Until nobody can ask any more, and, where its code is old, until every fork ended."""
        for end in (self._ended, self._wakeup, self._listener):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._ended, selectors.EVENT_READ, self._reap)
        self._selector.register(self._lifeline, selectors.EVENT_READ, self._leave_alone)
        while self._taking or self._clients:
            for key, _ in self._selector.select():
                if isinstance(key.data, _Client):
                    self._hear(key.data)
                else:
                    key.data()

    def _leave_alone(self) -> None:
        """The worker is gone: nobody waits for the forks, which go on. A killed one left its socket."""
        place = self._listener.getsockname()
        with suppress(OSError):
            os.unlink(place)
            os.rmdir(os.path.dirname(place))
        os._exit(0)

    def _accept(self) -> None:
        with suppress(BlockingIOError, ConnectionError):
            connection, _ = self._listener.accept()
            _, user, _ = _CREDENTIALS.unpack(
                connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            )
            if user not in {os.getuid(), 0}:
                connection.close()
                return
            connection.setblocking(False)
            client = _Client(connection)
            self._clients.add(client)
            self._selector.register(connection, selectors.EVENT_READ, client)

    def _hear(self, client: _Client) -> None:
        try:
            data, files, _, _ = socket.recv_fds(client.connection, _CHUNK, STDIO)
        except BlockingIOError:
            return
        except OSError:
            data, files = b"", []
        client.files += files
        client.received += data
        try:
            if not data:
                self._gone(client)
            elif client.pid:
                raise BadFrame("a second request on one connection")
            elif (body := whole_frame(client.received)) is not None:
                self._start(client, parse_request(body))
        except BadFrame as error:
            if not client.pid:
                self._answer_and_close(client, Answer(refused=str(error)))

    def _gone(self, client: _Client) -> None:
        if client.attached and client.pid:
            with suppress(ProcessLookupError):
                os.killpg(client.pid, signal.SIGKILL)
        if client.pid:
            self._selector.unregister(client.connection)  # its fork is still to be waited for
            client.connection.close()
        else:
            self._forget(client)

    def _start(self, client: _Client, request: StartRequest) -> None:
        if self._code_state() != self._imported.state:
            self._retire()
            self._answer_and_close(client, Answer(stale=True))
        elif not os.access(request.cwd, os.X_OK) or not os.path.isdir(request.cwd):
            self._answer_and_close(client, Answer(refused=f"cannot work in the directory {request.cwd}"))
        elif why_not := self._why_not(request):
            self._answer_and_close(client, Answer(refused=why_not))
        elif client.files and len(client.files) != STDIO:
            self._answer_and_close(client, Answer(refused=f"{len(client.files)} files, not {STDIO}"))
        else:
            self._fork(client, request)

    def _why_not(self, request: StartRequest) -> str:
        """Why a command in a terminal has to run where it is; a run becomes a new Python instead (`run_request`)."""
        if not request.attached:
            return ""
        path = search_path(request.env, request.cwd, self._imported.base_path, request.first)
        return self._imported.why_not(path, request.env)

    def _fork(self, client: _Client, request: StartRequest) -> None:
        """Fork. The child begins only when whoever asked knows its pid: a run is never begun twice."""
        ready, in_session = os.pipe()
        told, tell = os.pipe()
        try:
            pid = os.fork()
        except OSError as error:
            for end in (ready, in_session, told, tell):
                os.close(end)
            self._answer_and_close(client, Answer(refused=f"cannot fork: {error}"))
            return
        if pid == 0:
            try:
                child.detach()
                os.close(ready)
                os.close(in_session)
                os.close(tell)
                self._close_everything(client, request)
                if os.read(told, 1):
                    os.close(told)
                    child.run_request(request, self._imported)
            finally:
                os._exit(1)
        os.close(in_session)
        os.close(told)
        os.read(ready, 1)  # it is the leader of its session, and can be killed as a group
        os.close(ready)
        client.pid, client.attached = pid, request.attached
        _close_files(client)
        if self._answer(client, Answer(pid=pid)):
            with suppress(BrokenPipeError):  # killed already
                os.write(tell, b"1")
        os.close(tell)

    def _close_everything(self, client: _Client, request: StartRequest) -> None:
        """In the child: its standard streams, and nothing else of the template's."""
        nothing = os.open(os.devnull, os.O_RDWR)
        streams = client.files or [nothing, nothing if request.quiet else 1, nothing if request.quiet else 2]
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        self._selector.close()
        for end in (self._listener, self._ended, self._wakeup, *(one.connection for one in self._clients)):
            end.close()
        for stream in {nothing, *(file for one in self._clients for file in one.files)} - {0, 1, 2}:
            os.close(stream)

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            while self._ended.recv(_CHUNK):
                pass
        for client in [one for one in self._clients if one.pid]:
            pid, status = os.waitpid(client.pid, os.WNOHANG)
            if pid:
                self._answer_and_close(client, Answer(status=os.waitstatus_to_exitcode(status)))

    def _retire(self) -> None:
        """Take no more requests. Who already asks is told by the closed connection, and asks the next template."""
        if self._taking:
            self._taking = False
            self._selector.unregister(self._listener)
            self._listener.close()

    def _answer_and_close(self, client: _Client, answer: Answer) -> None:
        self._answer(client, answer)
        self._forget(client)

    def _answer(self, client: _Client, answer: Answer) -> bool:
        try:
            client.connection.sendall(frame(answer))  # some bytes: they fit into any socket's buffer
        except OSError:
            return False
        return True

    def _forget(self, client: _Client) -> None:
        with suppress(KeyError, ValueError):
            self._selector.unregister(client.connection)
        client.connection.close()
        _close_files(client)
        self._clients.discard(client)


def _close_files(client: _Client) -> None:
    while client.files:
        os.close(client.files.pop())


def serve_template() -> None:
    """Serve on the socket whose number is the one argument."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    Template(listener, sys.stdin.fileno(), code_state, preload()).serve()


if __name__ == "__main__":
    serve_template()
