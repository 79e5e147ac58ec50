"""A command of the benchmark: run, and when it fails told with its last words."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class BenchmarkFailed(Exception):
    """Something the benchmark itself needs did not work."""


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes = b"",
    timeout: float = 900,
) -> str:
    """Run a command over our own environment and return its standard output.

    Raises:
        BenchmarkFailed: with its last lines.
    """
    try:
        done = subprocess.run(
            argv,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            input=stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchmarkFailed(f"`{' '.join(argv[:4])}`: {error}") from None
    if done.returncode:
        words = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()[-15:]
        raise BenchmarkFailed(f"`{' '.join(argv[:4])}` ended with {done.returncode}:\n" + "\n".join(words))
    return done.stdout.decode(errors="replace")
