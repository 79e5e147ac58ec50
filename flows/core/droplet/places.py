"""Places: a droplet, or one part of a stack on a droplet that has several.

A place is written as the name of a Droplet block (`prod`) or as that, a slash and the part (`prod/green`). No block's
name has a slash, so the two are never mistaken for each other.
"""

from collections.abc import Sequence

from flows.core.errors import BadColours, ConflictingOptions
from flows.core.release.role import PARTS, Part

Parts = tuple[tuple[str, ...], tuple[str, ...], str]


def place(block: str, part: Part) -> str:
    """The name of a part of a stack on a droplet."""
    return f"{block}/{part}"


def split_place(name: str) -> tuple[str, Part | None]:
    """The droplet's block, and the part of the stack (None: the droplet has one part only).

    Raises:
        BadColours: what stands behind the slash is no part.
    """
    block, slash, part = name.partition("/")
    if not slash:
        return block, None
    for known in PARTS:
        if part == known:
            return block, known
    raise BadColours(f"{name} is no place: behind the slash stands {', '.join(PARTS[:-1])} or {PARTS[-1]}")


def block_of(name: str) -> str:
    """The droplet's block of a place."""
    return name.partition("/")[0]


def divided_places(green: Sequence[str], blue: Sequence[str], home: str) -> Parts:
    """The places of both colours and of the data home: where both colours have the same droplet, it is divided.

    Args:
        home: '' where there is no data home.

    Raises:
        BadColours: several droplets are shared. Each would need an edge, and a switch in front of these.
    """
    shared = [name for name in green if name in blue]
    if not shared:
        return tuple(green), tuple(blue), home
    if len(shared) > 1 or (*green, *blue) != (shared[0], shared[0]):
        raise BadColours(
            f"{', '.join(dict.fromkeys((*green, *blue)))}: both colours may share one droplet, that one alone. "
            "With several droplets each colour has its own. Settings: SLIPWAY_GREEN, SLIPWAY_BLUE"
        )
    block = shared[0]
    return (place(block, "green"),), (place(block, "blue"),), place(block, "home") if home == block else home


def refuse_divided(droplet: str, shared: str, places: Sequence[str]) -> str:
    """The droplet, unless it has several parts of a stack and none is named.

    Args:
        shared: the droplet that both colours share; '' for none.
        places: the parts that the stack has.

    Raises:
        ConflictingOptions
    """
    if droplet and droplet == shared:
        parts = [name for name in places if block_of(name) == droplet]
        raise ConflictingOptions(
            f"droplet {droplet} has both colours, so its name alone does not say which part is meant. "
            f"Name one: --droplet {', --droplet '.join(parts)}"
        )
    return droplet
