"""A settings file (TOML) as settings by their flat names: those of every run, and those of each destination."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from flows.core.control.groups import (
    DESTINATION,
    DESTINATIONS,
    GROUPS,
    OPERATORS,
    PLACES,
    VERSION,
    told_place,
    variable,
)
from flows.core.errors import BadSettings, OperatorSetting
from flows.core.quotation import quoted_line, without_controls

LARGEST = 100_000
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_SEE = "The settings: docs/SETTINGS.md"


@dataclass(frozen=True)
class SettingsFile:
    """What one settings file says.

    Args:
        origin: the file, as it is told.
        top: flat name → value, of every run.
        destinations: name of a destination → flat name → value.
        default: the destination of runs that name none; '' where the file does not say.
        old: flat names that stand at the top of the file, where version 0.2 had them.
        lines: flat name → the line at which it stands, where it could be found.
    """

    origin: str
    top: Mapping[str, Any] = field(default_factory=dict)
    destinations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    default: str = ""
    old: tuple[str, ...] = ()
    lines: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def notice(self) -> str:
        """One line that names the new places of what stands at an old one; '' where nothing does."""
        if not self.old:
            return ""
        moved = "; ".join(f"`{flat}` is {told_place(flat)}" for flat in self.old)
        return f"{self.origin} has settings at places of earlier versions, which still count. Now {moved}"

    def said(self, destination: str) -> Mapping[str, Any]:
        """What it says of one destination; without a name, of every run."""
        return self.destinations.get(destination, {}) if destination else self.top

    def refuse_operators(self, own: "Sequence[SettingsFile]") -> None:
        """Refuse, in a file that comes with a stack, what only the operator may say.

        Args:
            own: the operator's files. What one of them says as well is no matter.

        Raises:
            OperatorSetting
        """
        for destination, said in (("", self.top), *self.destinations.items()):
            for flat, value in said.items():
                if flat in OPERATORS and not any((flat, value) in file.said(destination).items() for file in own):
                    raise OperatorSetting(
                        f"{self.origin}{_line(self.lines.get((destination, flat), 0))}: {told_place(flat)} is the "
                        f"operator's to say, because {OPERATORS[flat]}; and this file comes with the stack. Take it "
                        f"out there; on the worker it is {variable(flat)}, or stands in the file that SLIPWAY_SETTINGS "
                        "names"
                    )


def read_settings_file(text: str, origin: str) -> SettingsFile:
    """Read a settings file.

    Args:
        origin: the file, as it is told.

    Raises:
        BadSettings: it is no TOML, too large, of a newer version, or has a key that is not known.
    """
    if len(text) > LARGEST:
        raise BadSettings(f"{origin}: has more than {LARGEST:,} characters, so it is no settings file. {_SEE}")
    try:
        whole = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers without end and nesting without end are no TOMLDecodeError
        raise BadSettings(
            f"{origin}: is no TOML: {quoted_line(without_controls(str(error)), 200)}. A text stands in quotation "
            f"marks. {_SEE}"
        ) from None
    reading = _Reading(text, origin)
    _refuse_newer(whole.pop("version", VERSION), reading)
    default, destinations = whole.pop(DESTINATION, ""), whole.pop(DESTINATIONS, {})
    if not isinstance(default, str):
        raise reading.bad(DESTINATION, "is the name of a destination, in quotation marks")
    if not isinstance(destinations, dict):
        raise reading.bad(DESTINATIONS, "is a group of groups: [destinations.NAME]")
    top, old = reading.flat(whole, "")
    found: dict[str, Mapping[str, Any]] = {}
    for name, said in destinations.items():
        path = f"{DESTINATIONS}.{name}"
        if not isinstance(said, dict):
            raise reading.bad(path, f"is a group: [{DESTINATIONS}.NAME]")
        if not _NAME.fullmatch(name):
            raise reading.bad(path, "is no name of a destination: at most 40 lower-case letters, digits and hyphens")
        found[name], _ = reading.flat(said, name)
    return SettingsFile(origin, top, found, default, tuple(old), reading.lines)


def close_match(word: str, known: Iterable[str]) -> str:
    """What was meant, maybe, as the end of a sentence."""
    near = get_close_matches(word[:60], list(known), 1)
    return f". Did you mean `{near[0]}`?" if near else ""


class _Reading:
    """One file on its way to flat names."""

    def __init__(self, text: str, origin: str) -> None:
        self.origin = origin
        self.lines: dict[tuple[str, str], int] = {}
        self._places = _lines_of_keys(text)

    def bad(self, path: str, words: str) -> BadSettings:
        """The refusal of what stands at a path of keys."""
        shown = quoted_line(without_controls(path), 120)
        end = "" if words.endswith("?") else "."
        return BadSettings(f"{self.origin}{_line(self._places.get(path, 0))}: `{shown}` {words}{end} {_SEE}")

    def flat(self, said: Mapping[str, Any], destination: str) -> tuple[dict[str, Any], list[str]]:
        """Settings by their flat names, and those among them that stood outside their group."""
        start = f"{DESTINATIONS}.{destination}." if destination else ""
        found: dict[str, Any] = {}
        old: list[str] = []
        for key, value in said.items():
            if key in GROUPS and isinstance(value, dict):
                for inner, one in value.items():
                    path = f"{start}{key}.{inner}"
                    if inner not in GROUPS[key]:
                        raise self.bad(path, f"is no setting{_meant(inner, key)}")
                    self._keep(found, GROUPS[key][inner], one, path, destination)
            elif key in PLACES:
                self._keep(found, key, value, f"{start}{key}", destination)
                old.append(key)
            elif key in GROUPS:
                raise self.bad(f"{start}{key}", f"is a group: [{start}{key}]")
            else:
                raise self.bad(f"{start}{key}", f"is no setting{_meant(key)}")
        return found, old

    def _keep(self, found: dict[str, Any], flat: str, value: Any, path: str, destination: str) -> None:
        if flat in found:
            raise self.bad(path, f"is said twice: as {told_place(flat)}, and as `{flat}`. Leave one of them out")
        found[flat] = value
        self.lines[destination, flat] = self._places.get(path, 0)


def _meant(key: str, group: str = "") -> str:
    """What an unknown key was meant to be: one of its group, or one that stands elsewhere."""
    if group and key in PLACES:
        return f" there: it is {told_place(key)}"
    if group and (here := close_match(key, GROUPS[group])):
        return here
    elsewhere = [name for name, keys in GROUPS.items() if key in keys]
    if elsewhere:
        return f" there: `{key}` stands in [{'], ['.join(elsewhere)}]"
    return close_match(key, (*GROUPS, *PLACES, DESTINATION, DESTINATIONS, "version"))


def _refuse_newer(version: Any, reading: _Reading) -> None:
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise reading.bad("version", f"is a number from 1 to {VERSION}, or is left out")
    if version > VERSION:
        raise reading.bad(
            "version",
            f"is {version}, and this Slipway knows files up to {VERSION}. Install a newer Slipway here",
        )


def _line(number: int) -> str:
    return f", line {number}" if number else ""


def _lines_of_keys(text: str) -> dict[str, int]:
    """Path of keys → the line at which it begins, as far as keys stand plainly at the beginning of a line."""
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        plain = line.strip()
        if plain.startswith("["):
            table = _plain(plain.partition("#")[0].strip("[] "))
            found.setdefault(table, number)
        elif "=" in plain and not plain.startswith("#"):
            key = _plain(plain.partition("=")[0])
            found.setdefault(f"{table}.{key}" if table else key, number)
    return found


def _plain(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))
