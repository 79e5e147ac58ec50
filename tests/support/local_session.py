"""A session with this machine: what a droplet would run over SSH is run here, and fails as there."""

import os
import subprocess
from collections.abc import Mapping, Sequence

from blocks.errors import RemoteFailed
from blocks.ssh.shell import CommandResult


class LocalSession:
    """Stands in for `Session`. `asked` is every argv; `fails` is raised by the next runs, one after another."""

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        self.env = {**os.environ, **(env or {})}
        self.asked: list[list[str]] = []
        self.fails: list[Exception] = []
        self.alive, self.closed = True, False

    def __enter__(self) -> "LocalSession":
        return self

    def __exit__(self, *_error: object) -> None:
        self.alive, self.closed = False, True

    def run(self, argv: Sequence[str], *, timeout: float, stdin: bytes = b"", name: str = "") -> CommandResult:
        self.asked.append(list(argv))
        if self.fails:
            raise self.fails.pop(0)
        done = subprocess.run(argv, input=stdin, capture_output=True, timeout=timeout, env=self.env, check=False)
        answer = CommandResult(
            done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        )
        if answer.code:
            words = answer.err.strip() or answer.out.strip()
            raise RemoteFailed(f"`{name}` ended with exit {answer.code}: {words}", answer.code, words)
        return answer
