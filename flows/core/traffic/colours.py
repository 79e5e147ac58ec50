"""The two colours: which droplets each has, and which one is idle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from flows.core.errors import BadColours, SwitchAmbiguous

Colour = Literal["green", "blue"]
COLOURS: tuple[Colour, Colour] = ("green", "blue")


@dataclass(frozen=True)
class Colours:
    """The Droplet blocks of each colour, by name."""

    green: tuple[str, ...]
    blue: tuple[str, ...]

    def droplets(self, colour: str) -> tuple[str, ...]:
        """The droplets of a colour."""
        return self.green if colour == "green" else self.blue

    def of(self, droplet: str) -> Colour | None:
        """The colour of a droplet; None for one that has none."""
        return next((colour for colour in COLOURS if droplet in self.droplets(colour)), None)


def other(colour: str) -> Colour:
    """The other colour."""
    return "blue" if colour == "green" else "green"


def check_colours(colours: Colours, places: Mapping[str, str]) -> None:
    """Refuse colours that share a droplet.

    Args:
        places: droplet block → where it is, as `user@host:port` and the part of the stack; two blocks may lead to one
            host.

    Raises:
        BadColours
    """
    for colour in COLOURS:
        if not colours.droplets(colour):
            raise BadColours(f"the colour {colour} has no droplet. Name one: SLIPWAY_{colour.upper()}='[\"NAME\"]'")
    seen: dict[str, str] = {}
    for name in (*colours.green, *colours.blue):
        place = places[name]
        if place in seen:
            raise BadColours(
                f"{_both(seen[place], name)}: {place}. A release is proved on a droplet that traffic "
                "does not reach, so each colour needs its own. Settings: SLIPWAY_GREEN, SLIPWAY_BLUE. "
                "Both colours on one droplet: name the same block in both (docs/ONE_DROPLET.md)"
            )
        seen[place] = name


def _both(one: str, two: str) -> str:
    return f"droplet {one} is named twice" if one == two else f"droplets {one} and {two} are one host"


def direction(
    active: Sequence[str], to: str | None, where: str, first: Colour | None = None
) -> tuple[Colour, Colour | None]:
    """The colour to promote, and the one that traffic leaves (None: it reaches no colour now).

    Args:
        active: the colours that the switch points at.
        to: the colour asked for, if any.
        where: the switch, in words.
        first: where to when it points nowhere, as a new edge does.

    Raises:
        SwitchAmbiguous: it points at both, or nowhere and nobody said where to.
    """
    if to is not None and to not in COLOURS:
        raise BadColours(f"{to} is no colour: {' or '.join(COLOURS)}")
    if len(active) > 1:
        raise SwitchAmbiguous(
            f"{where} points at both colours. Say which one shall serve, after looking at both (slipway status): "
            "slipway switch-back --to COLOUR"
        )
    if not active:
        if (to := to or first) is None:
            raise SwitchAmbiguous(
                f"{where} points at no colour. To promote to one: slipway promote --to COLOUR; "
                "to send traffic to one that is known to be well: slipway switch-back --to COLOUR"
            )
        return ("green" if to == "green" else "blue"), None
    now: Colour = "green" if active[0] == "green" else "blue"
    if to == now:
        raise SwitchAmbiguous(
            f"{where} points at {now} already, and a release is never proved where traffic reaches it. "
            f"To promote the release on {other(now)}: slipway promote"
        )
    return other(now), now
