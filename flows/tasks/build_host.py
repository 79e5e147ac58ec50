"""Quick commands on the build host, each with only what it needs of our own environment."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence

# What a command of ours may see of our own environment. Anything more would leak into the stack's variables,
# where it wins over every env file.
_PASSED_ON = (
    "PATH", "HOME", "USER", "TMPDIR", "LANG", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK",
    "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_API_VERSION",
    "DOCKER_BUILDKIT", "DOCKER_DEFAULT_PLATFORM", "BUILDX_BUILDER", "BUILDX_CONFIG",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
TIMED_OUT = 124


def own_environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command: the little that is passed on, and `more`."""
    return {**{name: os.environ[name] for name in _PASSED_ON if name in os.environ}, **more}


def not_passed_on(more: Mapping[str, str]) -> list[str]:
    """The names of our own environment that a command which inherits it must be rid of."""
    return sorted(name for name in os.environ if name not in _PASSED_ON and name not in more)


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
        return subprocess.run(  # noqa: S603 — no shell; the one place, and its environment is our own
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
