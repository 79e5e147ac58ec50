"""Commands on the build host: quick ones by subprocess, long ones by prefect-shell, live in the run's log."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from prefect_shell import ShellOperation

# What a command of ours may see of our own environment. Anything more would leak into the stack's variables,
# where it wins over every env file.
_PASSED_ON = (
    "PATH", "HOME", "USER", "TMPDIR", "LANG", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK",
    "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_API_VERSION",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
TIMED_OUT = 124


def own_environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command: the little that is passed on, and `more`."""
    return {**{name: os.environ[name] for name in _PASSED_ON if name in os.environ}, **more}


def run_alone(argv: Sequence[str], timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
    """Run a docker command that is to see nothing of our own environment, but what leads the client to its engine."""
    docker = shutil.which(argv[0]) or argv[0]
    kept = {name: os.environ[name] for name in ("DOCKER_HOST", "DOCKER_CONTEXT") if name in os.environ}
    config = os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
    return _run([docker, *argv[1:]], {**kept, "DOCKER_CONFIG": config}, timeout)


def run(argv: Sequence[str], env: Mapping[str, str], timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
    """Run a quick command and return what it said; its exit code is the caller's to read."""
    return _run(argv, own_environment(env), timeout)


def _run(argv: Sequence[str], env: Mapping[str, str], timeout: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            argv,
            env=env,
            timeout=timeout,
            capture_output=True,
            text=True,
            errors="replace",  # what a container says may be anything
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(argv, TIMED_OUT, "", f"`{argv[0]}` did not end within {timeout:.0f} s")
    except FileNotFoundError:
        return subprocess.CompletedProcess(argv, 127, "", f"`{argv[0]}` is not installed, or not on PATH")


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
