"""Whether the code that a process imported is still the code on disk, and the one that a run would import."""

import os
import site
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

from flows import __file__ as _FLOWS

OWN_PACKAGES = ("flows", "blocks")
# What a run would import before anything else, and what the template did import.
_FOUND_FIRST = ("sitecustomize", "usercustomize", "prefect", *OWN_PACKAGES)
_ROOT = Path(_FLOWS).resolve().parents[1]

CodeState = dict[str, tuple[int, int]]


def code_state(root: Path = _ROOT) -> CodeState:
    """When which of our files changed last, and when anything was installed or upgraded beside them."""
    found = {}
    for package in OWN_PACKAGES:
        for directory, inner, names in os.walk(root / package):
            inner[:] = [name for name in inner if name != "__pycache__"]
            for name in names:
                if name.endswith(".py"):
                    path = f"{directory}/{name}"
                    found[path] = _state(path)
    return {**found, **{place: _state(place) for place in site.getsitepackages()}}


def _state(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:  # removed since it was listed
        return (0, 0)
    return (found.st_mtime_ns, 0 if os.path.isdir(path) else found.st_size)


def origins(path: Sequence[str]) -> dict[str, str | None]:
    """Where the modules that decide would be found by this search path; None for one that another finder finds."""
    specs = {name: PathFinder.find_spec(name, list(path)) for name in _FOUND_FIRST}
    return {name: spec and spec.origin and os.path.realpath(spec.origin) for name, spec in specs.items()}


def interpreter_variables(env: Mapping[str, str]) -> dict[str, str]:
    """What Python reads at its start, and a fork therefore cannot change. The search path it can."""
    return {name: value for name, value in env.items() if name.startswith("PYTHON") and name != "PYTHONPATH"}


def search_path(env: Mapping[str, str], cwd: str, base: Sequence[str]) -> list[str]:
    """`sys.path` of `python -m` with this environment in this directory."""
    own = [entry for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry]
    first = [] if sys.flags.safe_path else [cwd]
    return list(dict.fromkeys([*first, *(os.path.join(cwd, entry) for entry in own), *base]))


def base_path(env: Mapping[str, str]) -> list[str]:
    """What this interpreter finds without PYTHONPATH and without the directory it was started in."""
    own = {os.path.realpath(entry) for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry}
    return [entry for entry in sys.path[0 if sys.flags.safe_path else 1 :] if os.path.realpath(entry) not in own]
