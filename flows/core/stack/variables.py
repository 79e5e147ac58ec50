"""The variables of a stack: what Compose interpolates with, and those that steer Compose itself."""

import posixpath
from collections.abc import Iterable, Mapping

PROFILES, PROJECT_NAME, FILE, SEPARATOR = (
    "COMPOSE_PROFILES",
    "COMPOSE_PROJECT_NAME",
    "COMPOSE_FILE",
    "COMPOSE_PATH_SEPARATOR",
)
# These are followed: we give Compose the same by options. All others of the kind would change what our own commands do
# (`COMPOSE_IGNORE_ORPHANS` ends every `up --remove-orphans`), so Compose is not given them.
_FOLLOWED = frozenset({PROFILES, PROJECT_NAME, FILE, SEPARATOR})


def steers_compose(name: str) -> bool:
    """Whether Compose would take a variable as an option of its own, and we do not follow it."""
    return name.startswith("COMPOSE_") and name not in _FOLLOWED


def without_steering(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that Compose is given."""
    return {name: value for name, value in variables.items() if not steers_compose(name)}


def active_profiles(settings: Iterable[str], variables: Mapping[str, str]) -> tuple[str, ...]:
    """The profiles that are switched on: those of the settings, and those of COMPOSE_PROFILES."""
    named = (name.strip() for name in variables.get(PROFILES, "").split(","))
    return tuple(dict.fromkeys([*settings, *(name for name in named if name)]))


def named_files(directory: str, variables: Mapping[str, str]) -> tuple[str, ...]:
    """The compose files that COMPOSE_FILE names, absolute; none where it names none."""
    files = variables.get(FILE, "")
    parts = files.split(variables.get(SEPARATOR) or ":")
    return tuple(posixpath.normpath(posixpath.join(directory, part)) for part in parts if part)
