"""Long commands on the build host, by prefect-shell: their output stands live in the run's log."""

import shlex
from collections.abc import Mapping, Sequence

from prefect_shell import ShellOperation

from flows.tasks.build_host import not_passed_on


def stream(commands: Sequence[Sequence[str]], env: Mapping[str, str], timeout: float) -> tuple[int, list[str]]:
    """Run commands side by side, their output live in the run's log.

    Called directly from a task, so that a cancel reaches it: prefect-shell ends the whole process tree then. It has
    no `set -e`, no timeout and no standard error in its result; all three are made up for here. It hands on its whole
    environment, which is no business of a build (`args:` and `secrets:` can name any of it): commands are rid of that.

    Args:
        timeout: seconds for each command.

    Returns:
        The first exit code that is not 0 (124: timed out), or 0; and the lines of output.
    """
    others = [word for name in not_passed_on(env) for word in ("-u", name)]
    clean = shlex.join(["env", *others, "timeout", "--kill-after=10", f"{timeout:.0f}"])
    limited = [f"{clean} {shlex.join(argv)} 2>&1" for argv in commands]
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
