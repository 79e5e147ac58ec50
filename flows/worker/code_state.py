"""Whether the code that a process imported is still the code on disk, and the one that a run would import."""

import os
import site
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path

import flows

OWN_PACKAGES = ("flows", "blocks")
CUSTOMIZED = ("sitecustomize", "usercustomize")
_ROOT = Path(flows.__file__).resolve().parents[1]

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


def shadowed(path: Sequence[str], known: Sequence[str]) -> str:
    """A module that is imported, and that this search path finds in another file; '' if there is none.

    Args:
        path: the search path of a run.
        known: the one of this process. Directories that are on it, too, are not looked through.
    """
    names = {"prefect", *OWN_PACKAGES}
    for entry in set(path) - set(known):
        with suppress(OSError):
            names |= {name.partition(".")[0] for name in os.listdir(entry)} & sys.modules.keys()
    for name in sorted(names - set(CUSTOMIZED)):
        found = PathFinder.find_spec(name, list(path))
        imported = getattr(sys.modules.get(name), "__spec__", None)
        if found and found.origin and imported and imported.origin and not _same(found.origin, imported.origin):
            return f"{name} ({found.origin}, not {imported.origin})"
    return ""


def customization(path: Sequence[str]) -> list[str]:
    """The files that Python reads at its start with this search path, if there are any."""
    specs = [PathFinder.find_spec(name, list(path)) for name in CUSTOMIZED]
    return [os.path.realpath(spec.origin) for spec in specs if spec and spec.origin]


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def interpreter_variables(env: Mapping[str, str]) -> dict[str, str]:
    """What Python reads at its start, and a fork therefore cannot change. The search path it can."""
    return {name: value for name, value in env.items() if name.startswith("PYTHON") and name != "PYTHONPATH"}


def search_path(env: Mapping[str, str], cwd: str, base: Sequence[str], first: str = "") -> list[str]:
    """`sys.path` of `python -m` with this environment in this directory.

    Args:
        first: what stands first instead, as the directory of a script does.
    """
    own = [entry for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry]
    start = [] if sys.flags.safe_path else [first or cwd]
    return list(dict.fromkeys([*start, *(os.path.join(cwd, entry) for entry in own), *base]))


def base_path(env: Mapping[str, str]) -> list[str]:
    """What this interpreter finds without PYTHONPATH and without the directory it was started in."""
    own = {os.path.realpath(entry) for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry}
    return [entry for entry in sys.path[0 if sys.flags.safe_path else 1 :] if os.path.realpath(entry) not in own]
