"""The template as its worker sees it: started when it is needed, asked for forks, replaced when it is old or gone."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flows.core.errors import StartRefused, TemplateEnded
from flows.worker.meeting_place import mark
from flows.worker.protocol import LENGTH, Answer, BadFrame, StartRequest, body_length, frame, parse_answer

# Imports take 4 s on an idle machine; a worker that begins beside a build waits longer.
START_TIMEOUT_S = 120.0
_ATTEMPTS = 3
_BACKLOG = 128
_LOOK_EVERY_S = 0.5
# What a process whose parent was killed ended with, nobody knows. Prefect takes the run for crashed, unless the run has
# told it of its end.
UNKNOWN_STATUS = 1


@dataclass
class ForkedProcess:
    """A fork of the template. It has what Prefect wants of a process: `pid` and `returncode`."""

    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    returncode: int | None = None

    async def wait(self) -> int:
        """Until it ended; its exit status, negative for a signal."""
        try:
            if self.returncode is None:
                self.returncode = (await _next_answer(self.reader)).status
        except (OSError, EOFError, BadFrame):  # its template is gone
            while _exists(self.pid):
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            self.writer.close()
        if self.returncode is None:
            self.returncode = UNKNOWN_STATUS
        return self.returncode


class TemplateProcess:
    """Starts the template, and another one when it ended or the code changed.

    Args:
        command: starts a template; the number of the listening socket is added.
        env: the environment of the template.
        place: the directory that its socket's own directory is made in; default: that of temporary files.
    """

    def __init__(
        self, command: tuple[str, ...] = (), env: Mapping[str, str] | None = None, place: Path | None = None
    ) -> None:
        self._place = place
        self._command = command or (sys.executable, "-m", "flows.worker.template")
        self._env = dict(os.environ if env is None else env)
        self._process: subprocess.Popen[bytes] | None = None
        self._old: list[subprocess.Popen[bytes]] = []
        self._socket = Path()

    @property
    def pid(self) -> int | None:
        """Of the template that is asked now."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start one, if none runs. It need not be ready: who asks waits in the socket's queue."""
        if self.pid is not None:
            return
        self._socket = (
            Path(tempfile.mkdtemp(prefix=f"{mark()}-", dir=self._place)) / "template"
        )  # only its user may enter
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self._socket))
            self._socket.chmod(0o600)
            listener.listen(_BACKLOG)
            listener.set_inheritable(True)
            # A session of its own: a Ctrl-C in the worker's terminal is the worker's to handle.
            self._process = subprocess.Popen(  # noqa: S603 — this Python, and a module of ours
                [*self._command, str(listener.fileno())],
                stdin=subprocess.PIPE, env=self._env, pass_fds=[listener.fileno()], start_new_session=True,
            )  # fmt: skip

    async def fork(self, request: StartRequest) -> ForkedProcess:
        """Have the request run in a fork, which began when this returns.

        Raises:
            StartRefused: the template does not do that.
            TemplateEnded: it ended before it began, also the next ones.
        """
        for _ in range(_ATTEMPTS):
            self.start()
            asked = self._process
            try:
                reader, writer = await asyncio.open_unix_connection(str(self._socket))
            except OSError:
                self._put_aside(asked)
                continue
            try:
                return await self._ask(request, reader, writer)
            except _AnotherTemplate:
                writer.close()
                self._put_aside(asked)
            except BaseException:
                writer.close()
                raise
        raise TemplateEnded(
            f"the process that runs are forked from ended {_ATTEMPTS} times before it began one; its output stands in "
            "the worker's. Look there, or use a process pool: docs/WORKERS.md"
        )

    async def _ask(
        self, request: StartRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> ForkedProcess:
        try:
            writer.write(frame(request))
        except BadFrame as error:
            raise StartRefused(f"a run's environment and arguments are too large: {error}") from None
        try:
            await writer.drain()
            answer = await asyncio.wait_for(_next_answer(reader), START_TIMEOUT_S)
        except (OSError, EOFError, BadFrame, TimeoutError):
            raise _AnotherTemplate from None
        if answer.stale:
            raise _AnotherTemplate
        if answer.pid is None:
            raise StartRefused(f"the process that runs are forked from refuses: {answer.refused or 'without a word'}")
        return ForkedProcess(answer.pid, reader, writer)

    def _put_aside(self, template: subprocess.Popen[bytes] | None) -> None:
        """Ask this one no more. It lives as long as a fork of it does: it alone can tell how that ended."""
        if template is None or template is not self._process:
            return  # another run found out first
        self._process = None
        shutil.rmtree(self._socket.parent, ignore_errors=True)
        self._old = [one for one in [*self._old, template] if one.poll() is None]

    def close(self) -> None:
        """End the template. What it forked goes on, unless somebody ended it."""
        for process in [self._process, *self._old]:
            if process is None:
                continue
            if process.stdin is not None:
                process.stdin.close()
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            shutil.rmtree(self._socket.parent, ignore_errors=True)
        self._process, self._old = None, []


class _AnotherTemplate(Exception):
    """This template starts nothing any more."""


async def _next_answer(reader: asyncio.StreamReader) -> Answer:
    return parse_answer(await reader.readexactly(body_length(await reader.readexactly(LENGTH.size))))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
