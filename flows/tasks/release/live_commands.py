"""Long commands on the build host, by prefect-shell: their output stands live in the run's log."""

import shlex
from collections.abc import Mapping, Sequence

from prefect_shell import ShellOperation


def stream(commands: Sequence[Sequence[str]], env: Mapping[str, str], timeout: float) -> tuple[int, list[str]]:
    """Run commands side by side, their output live in the run's log.

    Called directly from a task, so that a cancel reaches it: prefect-shell ends the whole process tree then. It has
    no `set -e`, no timeout and no standard error in its result; all three are made up for here.

    Args:
        timeout: seconds for each command.

    Returns:
        The first exit code that is not 0 (124: timed out), or 0; and the lines of output.
    """
    limited = [f"timeout --kill-after=10 {timeout:.0f} {shlex.join(argv)} 2>&1" for argv in commands]
    if len(limited) == 1:
        script = ["set -euo pipefail", f"exec {limited[0]}"]
    else:
        script = ["set -uo pipefail", "pids=()", *[f"{line} & pids+=($!)" for line in limited]]
        script += ["code=0", 'for pid in "${pids[@]}"; do wait "$pid" || code=$?; done', 'exit "$code"']
    with ShellOperation(commands=script, env=dict(env), log_prefix=None) as operation:
        process = operation.trigger()
        try:
            process.wait_for_completion()
        except RuntimeError:
            if process.return_code is None:
                raise
        return process.return_code or 0, process.fetch_result()
