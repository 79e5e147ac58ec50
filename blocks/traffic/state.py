"""The state of a traffic switch as it was read: plain values, which need no Prefect."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """A share of the clients that goes to the colour which is not active, while a release is tried on them.

    Args:
        mark: of its own: who set it, and when.
        by: who set it, in words; '' when that is not known.
    """

    colour: str
    percent: int
    mark: str = ""
    by: str = ""

    def __str__(self) -> str:
        return f"{self.percent} % of the clients on {self.colour}"


@dataclass(frozen=True)
class SwitchState:
    """The state of a traffic switch, as it was read.

    Args:
        active: the colours that traffic reaches: one, none (it points nowhere), or both.
        mark: changes with every turn, whoever made it; a turn shows the mark it started from.
        by: who turned it last, in words; '' when that is not known.
        share: the share of the clients that goes elsewhere; None: all go to the active colour.
    """

    active: tuple[str, ...]
    mark: str = ""
    by: str = ""
    share: Share | None = None


@dataclass(frozen=True)
class SwitchProbe:
    """An answer that came through the switch, as any client would get it: from which colour, with which status."""

    colour: str | None
    status: int
    detail: str

    @property
    def well(self) -> bool:
        """Whether the answer is no server error and no failed connection."""
        return 200 <= self.status < 500


def switch_words(name: str, url: str) -> str:
    """A traffic switch in words."""
    return f"traffic switch {name} ({url})"


def shares_of(seen: SwitchState) -> Mapping[str, int]:
    """Colour → percent of the clients that reach it, while a canary divides them; else nothing."""
    if seen.share is None or seen.share.colour in seen.active:
        return {}
    return {**dict.fromkeys(seen.active, 100 - seen.share.percent), seen.share.colour: seen.share.percent}
