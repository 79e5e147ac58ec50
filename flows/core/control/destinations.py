"""Destinations: the places that a stack goes to, each with what differs there; which one is meant, and what holds."""

from collections.abc import Mapping, Sequence
from typing import Any

from flows.core.control.groups import OPERATORS
from flows.core.control.settings_file import SettingsFile, close_match
from flows.core.errors import DestinationNeeded, SharedDroplet, UnknownDestination

_COLOURS = ("green", "blue")
_DEFAULTS = {"droplet": "green", "green": ("green",), "blue": ("blue",)}
_EXAMPLE = "[destinations.NAME] of slipway.toml (docs/DESTINATIONS.md)"


def choose_destination(given: str, files: Sequence[SettingsFile]) -> str:
    """The destination that is meant; '' where no file defines one, and none is asked for.

    Args:
        given: by the run, the command or the environment; '' for none.
        files: the strongest first.

    Raises:
        UnknownDestination
        DestinationNeeded: there are several, and none is said.
    """
    names = destination_names(files)
    by_file = next((file for file in files if file.default), None)
    name = given or (by_file.default if by_file else "")
    if not name:
        if len(names) > 1:
            raise DestinationNeeded(
                f"there are several destinations: {', '.join(names)}. Say which one: --destination NAME, or once for "
                'all `destination = "NAME"` at the top of slipway.toml'
            )
        return names[0] if names else ""
    if name in names:
        return name
    where = "" if given or not by_file else f" (`destination` of {by_file.origin})"
    if not names:
        raise UnknownDestination(
            f"there is no destination {name}{where}: no settings file that is read here defines one. Define it with "
            f"{_EXAMPLE}, give --stack PATH if it stands beside the stack, or leave --destination out"
        )
    raise UnknownDestination(
        f"there is no destination {name}{where}. There is {', '.join(names)}{close_match(name, names)}"
        + ("" if close_match(name, names) else f". A new one is {_EXAMPLE}")
    )


def destination_names(files: Sequence[SettingsFile]) -> tuple[str, ...]:
    """All destinations that these files define."""
    return tuple(dict.fromkeys(name for file in files for name in file.destinations))


def layers(destination: str, own: Sequence[SettingsFile], beside: SettingsFile | None) -> list[Mapping[str, Any]]:
    """What files say of a run to a destination, the strongest first.

    What the operator says of a destination holds, whatever a stack brings: so it cannot weaken what guards production.
    Of all else the stack's own file knows more than the worker's.

    Args:
        own: the operator's files, the strongest first.
        beside: the file that comes with the stack; it cannot say where the stack is, by which it was found.
    """
    there = [beside] if beside else []
    ranked = [
        *((file.destinations.get(destination, {}), False) for file in own),
        *((file.destinations.get(destination, {}), True) for file in there),
        *((file.top, True) for file in there),
        *((file.top, False) for file in own),
    ]
    return [{k: v for k, v in said.items() if k != "stack"} if brought else said for said, brought in ranked]


def merged(ranked: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One value a setting, the strongest. A droplet for everything and droplets for each colour replace each other."""
    found: dict[str, Any] = {}
    for said in ranked:
        taken = dict(said)
        if found.get("one_droplet"):
            taken = {name: value for name, value in taken.items() if name not in (*_COLOURS, "home")}
        elif any(colour in found for colour in _COLOURS):
            taken.pop("one_droplet", None)
        found = {**taken, **found}
    return found


def operators_part(file: SettingsFile) -> SettingsFile:
    """What remains of an operator's file where a commit's version of the same file counts instead."""
    return SettingsFile(
        file.origin,
        {name: value for name, value in file.top.items() if name in OPERATORS or name == "stack"},
        {name: {k: v for k, v in said.items() if k in OPERATORS} for name, said in file.destinations.items()},
    )


def refuse_shared_droplets(resolved: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse two destinations that mean the same droplet for the same stack: each would replace the other's release.

    Args:
        resolved: destination → all that files say of it.

    Raises:
        SharedDroplet
    """
    seen: dict[tuple[str, str], str] = {}
    for destination, said in resolved.items():
        for block in _blocks(said):
            place = (str(said.get("stack", "")), block)
            if place in seen:
                raise SharedDroplet(
                    f"destinations {seen[place]} and {destination} both go to droplet {block}, so each would replace "
                    f"what the other put there. Give [destinations.{destination}] a droplet of its own "
                    "(`droplet`; with a switch `green` and `blue`, or `one_droplet`; `home`), or leave one of them out"
                )
        seen.update({(str(said.get("stack", "")), block): destination for block in _blocks(said)})


def _blocks(said: Mapping[str, Any]) -> list[str]:
    """Blocks of the droplets that a destination deploys to, by what files say."""
    values = {**_DEFAULTS, **said}
    if one := values.get("one_droplet"):
        names = [one]
    elif values.get("switch"):
        names = [*_names(values["green"]), *_names(values["blue"])]
    else:
        names = [values["droplet"]]
    named = [name for name in (*names, values.get("home")) if isinstance(name, str) and name]
    return list(dict.fromkeys(name.partition("/")[0] for name in named))  # `prod/green` is a place on `prod`


def _names(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
