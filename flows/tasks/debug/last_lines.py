"""Shows what services said last."""

import posixpath
import shlex
from collections.abc import Sequence

from prefect.logging import get_run_logger

from blocks.ssh.shell import RemoteShell
from flows.core.droplet.directories import COMMAND, StackDirectory
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import masked_end
from flows.tasks.runs.retries import ONCE


@task(name="show last lines", task_run_name="show what they said last", **ONCE)
def show_last_lines(session: RemoteShell, directory: StackDirectory, services: Sequence[str], lines: int) -> None:
    """Stream the last log lines of services into the run's log, each cut to what a person reads."""
    log = get_run_logger()
    command = posixpath.join(directory.current, COMMAND)
    argv = [command, "logs", "--no-color", "--tail", str(lines), *services]
    log.error("last lines of %s:", ", ".join(services))
    tell = lambda line: log.error("%s", masked_end(line, 1))  # noqa: E731
    session.run(shlex.join(argv), timeout=60, check=False, on_line=tell)
