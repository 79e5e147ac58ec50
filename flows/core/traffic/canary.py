"""A canary: the steps by which a promotion sends clients to the new colour, a share of them at a time."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator

from flows.core.errors import BadCanary

MOST_STEPS = 6


def canary_trouble(percents: Sequence[int]) -> str:
    """What is wrong with the steps of a canary, in words; '' where nothing is."""
    if len(percents) > MOST_STEPS:
        return f"{len(percents)} steps are too many: at most {MOST_STEPS}"
    if wrong := [str(percent) for percent in percents if not 1 <= percent <= 99]:
        return f"{', '.join(wrong)}: a share is 1 to 99 percent"
    if list(percents) != sorted(set(percents)):
        return f"{', '.join(map(str, percents))}: the shares must rise"
    return ""


def _checked(percents: tuple[int, ...]) -> tuple[int, ...]:
    if trouble := canary_trouble(percents):
        raise ValueError(trouble)
    return percents


# The steps as the setting has them.
Percents = Annotated[tuple[int, ...], AfterValidator(_checked)]


def canary_steps(wanted: str | None, setting: Sequence[int]) -> tuple[int, ...]:
    """The steps of a promotion: those that are asked for, else those of the setting.

    Args:
        wanted: as a person gives them: `5,25,50`, or `none`.

    Raises:
        BadCanary
    """
    if wanted is None:
        return tuple(setting)
    words = [] if wanted.strip() == "none" else [word.strip() for word in wanted.split(",")]
    if wrong := [word for word in words if not (word.isascii() and word.isdigit() and len(word) < 4)]:
        trouble = f"{wrong[0][:40]!r} is no percent"
    else:
        trouble = canary_trouble([int(word) for word in words])
    if trouble:
        raise BadCanary(f"no canary by these steps: {trouble}. Nothing was changed. Like this: --canary 5,25,50")
    return tuple(int(word) for word in words)


def canary_sentence(steps: Sequence[int], seconds: float) -> str:
    """How a promotion goes by steps, in words; '' without any."""
    if not steps:
        return ""
    shares = ", ".join(f"{percent} %" for percent in steps)
    return f"a canary first: {shares} of the clients, by their address, for {seconds:g} s each"
