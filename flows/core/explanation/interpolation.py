"""The variables that a text of a compose file uses, as Compose interpolates it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Syntax: docs.docker.com/reference/compose-file/interpolation; `$$` is a `$`. What stands inside braces is looked
# through too: a default may hold further variables.
_USE = re.compile(r"\$(?:\$|(?P<bare>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?P<operator>:?[-?+])?)")


@dataclass(frozen=True)
class VariableUse:
    """One use of a variable; `operator` is what follows the name, such as `:-`."""

    name: str
    operator: str = ""

    @property
    def has_default(self) -> bool:
        return self.operator.endswith("-")

    @property
    def takes_empty(self) -> bool:
        """Whether an empty value counts as one."""
        return not self.operator.startswith(":")


def variable_uses(text: str) -> Iterator[VariableUse]:
    """Every use of a variable in a text."""
    for found in _USE.finditer(text):
        if name := found["bare"] or found["braced"]:
            yield VariableUse(name, found["operator"] or "")


def uses_in(value: Any) -> Iterator[VariableUse]:
    """Every use of a variable in a YAML value, keys included."""
    if isinstance(value, str):
        yield from variable_uses(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from variable_uses(str(key))
            yield from uses_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from uses_in(item)


def passed_on(service: Mapping[str, Any]) -> Iterator[str]:
    """The variables that a service is given under their own names: entries of `environment:` without a value."""
    environment = service.get("environment")
    if isinstance(environment, Mapping):
        yield from (str(name) for name, value in environment.items() if value is None)
    elif isinstance(environment, list):
        yield from (str(entry) for entry in environment if "=" not in str(entry))
