"""Handing a command's work to a worker: what of it a worker elsewhere can see, and which error it ended in."""

import re
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

from flows.core.errors import LocalPath

# What Prefect writes before an error's name in the message of a run that failed.
_FAILED = re.compile(r"Flow run encountered an exception: (\w+): (.*)", re.DOTALL)


def deployment_of(flow: str) -> str:
    """The deployment of `module:name`: `flows.build_push:build_push` is `build-push`."""
    return flow.rpartition(":")[2].replace("_", "-")


def parameters_elsewhere(
    given: Mapping[str, Any], *, here: bool, absolute: Callable[[str], str | None]
) -> dict[str, Any]:
    """The parameters of a run that a worker takes, as a command would have called the flow.

    Args:
        here: the worker is on this machine, by all that is known.
        absolute: a path as it is on this machine, absolute; None where there is no such file.

    Raises:
        LocalPath: a file of this machine is meant, and the worker is on another one.
    """
    found = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
    for name in ("stack", "env_file"):
        path = found.get(name)
        if not isinstance(path, str) or (whole := absolute(path)) is None:
            continue
        if here:
            found[name] = whole
        elif name == "env_file" or PurePath(path).is_absolute() or ".." in PurePath(path).parts:
            option = name.replace("_", "-")
            raise LocalPath(
                f"--{option} {path}: a file of this machine, which a worker on another one cannot see. {_INSTEAD[name]}"
            )
    return found


_INSTEAD = {
    "stack": "Give it relative to the directory that the worker's deployments start from, with --ref for a commit, or "
    "leave --worker out",
    "env_file": "Save its variables in the stack's environment block (slipway environment set), or leave --worker out",
}


def named_failure(message: str) -> tuple[str, str]:
    """The name and the sentence of the error that a run failed by; no name where the state's message has none."""
    found = _FAILED.fullmatch(message.strip())
    return (found[1], found[2]) if found else ("", message)
