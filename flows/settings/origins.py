"""Each setting that is in effect: its value, where it was said, and whether it stands at an old place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from flows.core.control.groups import DESTINATION, PLACES, told_place, variable
from flows.settings.files import said_by_files
from flows.settings.settings import Settings

_DEFAULT = "default"
# What one droplet for everything says of them as well.
_DIVIDED = ("green", "blue", "home")


@dataclass(frozen=True)
class SettingInEffect:
    """A setting that is in effect.

    Args:
        name: its flat name; its environment variable's, too, in capitals behind SLIPWAY_.
        group, key: where it stands in a settings file; '' for one that stands in no group.
        origin: the environment, `.env`, a settings file with its part, or `default`.
        old: what is to be done about its place; '' where that is as it is now.
    """

    name: str
    group: str
    key: str
    value: Any
    origin: str
    old: str = ""

    @property
    def said(self) -> bool:
        """Whether anybody said it."""
        return self.origin != _DEFAULT


def settings_in_effect() -> list[SettingInEffect]:
    """Every setting, in the order of the groups. Raises what reading settings raises."""
    settings = Settings()
    environment, dotenv = EnvSettingsSource(Settings)(), DotEnvSettingsSource(Settings)()
    layers, old = said_by_files({}, environment, dotenv)
    given: list[tuple[str, Mapping[str, Any]]] = [("the environment", environment), (".env", dotenv), *layers]

    def origin(name: str) -> str:
        if name in _DIVIDED and settings.one_droplet:
            return origin("one_droplet")
        where = next((where for where, said in given if name in said), _DEFAULT)
        return f"{where}: {variable(name)}" if where in ("the environment", ".env") else where

    found = []
    for name in (DESTINATION, *PLACES):
        group, key = PLACES.get(name, ("", name))
        moved = f"{old[name]}: {told_place(name)} now" if name in old else ""
        found.append(SettingInEffect(name, group, key, getattr(settings, name), origin(name), moved))
    return found
