"""The interface of what runs commands on a droplet, with or without the droplet's lock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import paramiko

from blocks.ssh.keys import SshTarget
from blocks.ssh.output import Line


@dataclass(frozen=True)
class CommandResult:
    """The result of a remote command: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


class RemoteShell(Protocol):
    """What runs commands on a droplet: a plain session, or one that holds the droplet's lock."""

    @property
    def address(self) -> SshTarget: ...

    @property
    def alive(self) -> bool: ...

    def run(
        self,
        command: str | Sequence[str],
        *,
        timeout: float,
        stdin: bytes | Iterable[bytes] = b"",
        on_line: Line | None = None,
        check: bool = True,
    ) -> CommandResult: ...

    def open_socket(self, host: str, port: int) -> paramiko.Channel: ...
