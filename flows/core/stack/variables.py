"""The variables of a stack: what Compose interpolates with, and those that steer Compose itself."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

PROFILES, PROJECT_NAME, FILE, SEPARATOR = (
    "COMPOSE_PROFILES",
    "COMPOSE_PROJECT_NAME",
    "COMPOSE_FILE",
    "COMPOSE_PATH_SEPARATOR",
)
# These are followed: we give Compose the same by options. All others of the kind would change what our own commands do
# (`COMPOSE_IGNORE_ORPHANS` ends every `up --remove-orphans`), so Compose is not given them.
_FOLLOWED = frozenset({PROFILES, PROJECT_NAME, FILE, SEPARATOR})


def is_project_name(name: str) -> bool:
    """Whether Compose takes it as a project's name."""
    return bool(re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name))


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


class Placeholders:
    """Names without a colon in place of each `${…}` of compose files.

    `--no-interpolate` of Compose 2.26 takes apart `${DATA:-./data}:/data:ro` at its colons, and looks for a file that
    is included or extended under the name as it is written.

    Args:
        known: expression → what it comes to.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self._names: dict[str, str] = {}

    def put(self, text: str) -> str:
        """The text with names in place of its expressions."""
        parts, end = [], 0
        for start, stop in _expressions(text):
            parts += [text[end:start], self._instead(text[start:stop])]
            end = stop
        return "".join([*parts, text[end:]])

    def back(self, value: Any) -> Any:
        """A YAML value with the expressions in their places again."""
        if isinstance(value, str):
            return _PLACEHOLDER.sub(lambda found: self._written(found.group()), value) if "$" in value else value
        if isinstance(value, Mapping):
            return {self.back(key): self.back(item) for key, item in value.items()}
        return [self.back(item) for item in value] if isinstance(value, list) else value

    def _instead(self, expression: str) -> str:
        if expression in self._known:
            return self._known[expression]
        return self._names.setdefault(expression, f"${{SLIPWAY_WRITTEN_{len(self._names)}}}")

    def _written(self, name: str) -> str:
        return next((expression for expression, known in self._names.items() if known == name), name)


def expressions_in(text: str) -> list[str]:
    """Every `${…}` of a text, the outermost."""
    return [text[start:stop] for start, stop in _expressions(text)]


_PLACEHOLDER = re.compile(r"\$\{SLIPWAY_WRITTEN_\d+\}")
_BRACES = re.compile(r"\$\$|\$\{|\}")


def _expressions(text: str) -> Iterator[tuple[int, int]]:
    begun: list[int] = []
    for found in _BRACES.finditer(text):
        if found.group() == "${":
            begun.append(found.start())
        elif found.group() == "}" and begun:
            start = begun.pop()
            if not begun:
                yield start, found.end()
