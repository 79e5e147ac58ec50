"""Holds a droplet's lock for as long as a run changes it, and runs its commands under it."""

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from secrets import token_hex

import paramiko
from prefect import runtime
from prefect.logging import get_logger

from blocks.errors import RemoteFailed, Unreachable
from blocks.ssh.keys import SshTarget
from blocks.ssh.output import Line, command_name
from blocks.ssh.session import Session
from blocks.ssh.shell import CommandResult, RemoteShell
from flows.core.droplet.lock import (
    BEAT,
    BUSY,
    BYE,
    HELD,
    HELD_BY_ANOTHER,
    LEASE,
    LOST,
    NOT_OURS,
    Holder,
    guarded_script,
    hold_script,
    read_holder,
)
from flows.core.errors import DropletBusy, DropletNotReady, LockLost
from flows.tasks.runs.context import extended_context, run_context
from flows.tasks.runs.log_masking import masked_line
from flows.tasks.runs.measuring import now_measured
from flows.tasks.runs.run_info import whoami

_PATIENCE = 30.0
_QUICK = 5.0
_LONGEST_LINE = 64 * 1024


class LockedSession:
    """A session that holds the droplet's lock: every command it runs ends with the lock. Used where a Session is."""

    def __init__(self, session: Session, directory: str, token: str, channel: paramiko.Channel) -> None:
        self._session = session
        self._directory = directory
        self._token = token
        self._channel = channel
        self._ended = threading.Event()
        self._lost = False
        self._beating = threading.Thread(target=self._beat, name="slipway-heartbeat", daemon=True)
        self._beating.start()

    @property
    def address(self) -> SshTarget:
        return self._session.address

    @property
    def alive(self) -> bool:
        """Whether the lock is still ours, as far as this side knows."""
        return self._session.alive and not self._lost and not self._channel.closed

    def run(
        self,
        command: str | Sequence[str],
        *,
        timeout: float,
        stdin: bytes | Iterable[bytes] = b"",
        on_line: Line | None = None,
        check: bool = True,
    ) -> CommandResult:
        """Run a command under the lock; else as `Session.run`.

        Raises:
            LockLost: the lock is another's by now, and nothing was done.
        """
        try:
            answer = self._session.run(
                guarded_script(self._directory, self._token, command),
                timeout=timeout, stdin=stdin, on_line=on_line, check=check, name=command_name(command),
            )  # fmt: skip
        except RemoteFailed as error:
            if error.code == LOST:
                raise self._gone() from None
            raise
        if answer.code == LOST:
            raise self._gone()
        return answer

    def open_socket(self, host: str, port: int) -> paramiko.Channel:
        """As `Session.open_socket`."""
        return self._session.open_socket(host, port)

    def release(self) -> None:
        """Free the lock; what we still run there ends with it."""
        self._ended.set()
        with contextlib.suppress(OSError, EOFError):
            self._channel.sendall(f"{BYE}\n".encode())
            self._channel.status_event.wait(_PATIENCE if self._session.alive else 0)
        self._channel.close()

    def _beat(self) -> None:
        """Feed the lock; a droplet that is silent for a lease is gone, and whoever waits for it is told."""
        self._channel.settimeout(BEAT)
        answered = time.monotonic()
        while not self._ended.wait(BEAT):
            with contextlib.suppress(OSError, EOFError):
                self._channel.sendall(b"beat\n")
                if self._channel.recv(4096):
                    answered = time.monotonic()
            if not self._ended.is_set() and (self._channel.closed or time.monotonic() - answered > LEASE):
                self._lost = True
                self._session.break_off()
                return

    def _gone(self) -> LockLost:
        self._lost = True
        return LockLost(
            f"{self.address}: the lock is no longer ours (the connection was silent for {LEASE} s, or the droplet was "
            "started anew). Whatever was begun is finished or undone by: slipway reconcile"
        )


@contextmanager
def locked(session: RemoteShell, directory: str, purpose: str, wait: float = 0.0) -> Iterator[LockedSession]:
    """Yield the droplet's lock: the one an outer `locked` holds while it is alive, else one taken here.

    Args:
        directory: Slipway's directory on the droplet.
        purpose: what for, in words for whoever is refused.
        wait: seconds to wait while another holds it.

    Raises:
        DropletBusy: another run holds it; names it.
        DropletNotReady: the directory cannot be written.
        Unreachable: the connection broke meanwhile.
    """
    held = run_context().locks
    place = (session.address.name, directory)
    outer = held.get(place)
    if isinstance(outer, LockedSession) and outer.alive:
        yield outer
        return
    began = time.monotonic()
    mine = _take(session, directory, purpose, wait)
    if measured := now_measured():
        measured.note(lock_seconds=round(time.monotonic() - began, 3))
    try:
        with extended_context(locks={**held, place: mine}):
            yield mine
    finally:
        mine.release()


def _lines(channel: paramiko.Channel, deadline: float) -> Iterator[str]:
    """The lines that the other side says, however slowly, until the deadline or its end.

    Raises:
        TimeoutError
    """
    rest = b""
    while (left := deadline - time.monotonic()) > 0 and len(rest) < _LONGEST_LINE:
        channel.settimeout(left)
        if not (said := channel.recv(_LONGEST_LINE)):
            return
        *lines, rest = (rest + said).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines)


def _take(outer: RemoteShell, directory: str, purpose: str, wait: float) -> LockedSession:
    session = outer._session if isinstance(outer, LockedSession) else outer
    assert isinstance(session, Session)
    token = token_hex(16)
    channel = session.start(hold_script(directory, token, wait))
    holder = Holder(
        token,
        whoami(),
        purpose,
        str(runtime.flow_run.root_flow_run_id or ""),
        str(runtime.flow_run.ui_url or ""),
        datetime.now(UTC).isoformat(timespec="seconds"),
    )
    deadline = time.monotonic() + _PATIENCE + wait
    channel.settimeout(_PATIENCE)
    with contextlib.suppress(OSError):  # it may have ended by now, because another holds it: its exit code says so
        channel.sendall(f"{holder.line()}\n".encode())
    other = Holder()
    with contextlib.suppress(OSError):
        for line in _lines(channel, deadline):
            if line.startswith(BUSY):
                other = read_holder(line.removeprefix(BUSY))
                if wait:
                    get_logger("slipway.hooks").warning("waiting for %s: %s", session.address.name, other)
            elif line.strip() == HELD:
                return LockedSession(session, directory, token, channel)
    channel.status_event.wait(min(_QUICK, max(0.0, deadline - time.monotonic())))
    code = channel.recv_exit_status() if channel.exit_status_ready() else -1
    said = channel.recv_stderr(4096).decode(errors="replace").strip() if channel.recv_stderr_ready() else ""
    channel.close()
    if code == HELD_BY_ANOTHER:
        raise DropletBusy(
            f"{session.address} is being changed by {other}. Nothing was changed. Wait for it: --wait SECONDS"
        )
    if code < 0:
        raise Unreachable(f"{session.address}: the connection broke while its lock was taken")
    why = masked_line(said.splitlines()[-1]) if said else f"exit {code}"
    if code == NOT_OURS:
        raise DropletNotReady(
            f"{session.address}: {directory} {why}, so somebody else could lead what is written there elsewhere. "
            "Nothing was changed. Give the block a directory that is its user's alone (chown, chmod go-w), and no link"
        )
    raise DropletNotReady(
        f"{session.address}: {directory} cannot be locked: {why}. Make room there, or give its block a directory "
        "that its user may write to; bash and flock are needed too"
    )
